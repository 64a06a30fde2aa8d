"""See, choose and ship the trade between accuracy and computation in cascaded (early-exit) inference.

A classifier cut into stages answers at the first stage whose confidence reaches that stage's
threshold.  `load_run` reads every stage's softmaxes on a validation set, `choose` turns a policy
into thresholds, `evaluate` says what they do to accuracy and cost, `save_choice` exports them.
Importing this package loads no torch, no streamlit and no plotly; networks live in
`cascade_core.nets`.
"""

from cascade_core.analysis.calibration import auroc, expected_calibration_error, reliability
from cascade_core.analysis.yardsticks import dominated, oracle, overthinking, random_exit_accuracy, single_stage
from cascade_core.policies import (
    BestWithinBudget,
    Certified,
    CheapestUncorrected,
    CheapestWithinDrop,
    FixedThresholds,
    GeometricShares,
    Infeasible,
    PaperRule,
    PaperRuleByClass,
    SharedThreshold,
    Tuned,
    choose,
    tune,
)
from cascade_core.simulation.answers import StageAnswers
from cascade_core.simulation.asking import Asked, ask
from cascade_core.simulation.certificates import certify_path
from cascade_core.simulation.dividing import split_indices
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.exits import ExitRule, Judgement, exit_stages
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.paths import RulePath, evaluate_path
from cascade_core.simulation.pool import Pool, fit_pool
from cascade_core.simulation.record import Record
from cascade_core.simulation.stages import Stage
from cascade_core.storage.choice import Choice, load_choice, save_choice
from cascade_core.storage.importers import import_run
from cascade_core.storage.reading import load_record, load_run
from cascade_core.storage.writing import save_run
from cascade_core.support.version import VERSION
from cascade_core.support.visible import visible

__version__ = VERSION

__all__ = [
    "Asked",
    "BestWithinBudget",
    "Certified",
    "CheapestUncorrected",
    "CheapestWithinDrop",
    "Choice",
    "Evaluation",
    "ExitRule",
    "FixedThresholds",
    "GeometricShares",
    "Infeasible",
    "Judgement",
    "PaperRule",
    "PaperRuleByClass",
    "Pool",
    "Record",
    "RulePath",
    "SharedThreshold",
    "Stage",
    "StageAnswers",
    "StageOutputs",
    "Tuned",
    "ask",
    "auroc",
    "certify_path",
    "choose",
    "dominated",
    "evaluate",
    "evaluate_path",
    "exit_stages",
    "expected_calibration_error",
    "fit_pool",
    "import_run",
    "load_choice",
    "load_record",
    "load_run",
    "oracle",
    "overthinking",
    "random_exit_accuracy",
    "reliability",
    "save_choice",
    "save_run",
    "single_stage",
    "split_indices",
    "tune",
    "visible",
]
