"""See, choose and ship the trade between accuracy and computation in cascaded (early-exit) inference.

A classifier cut into stages answers at the first stage whose confidence reaches that stage's
threshold.  `load_run` reads every stage's softmaxes on a validation set, `choose` turns a policy
into thresholds, `evaluate` says what they do to accuracy and cost, `save_choice` exports them.
Importing this package loads no torch, no streamlit and no plotly; networks live in
`cascade_core.nets`.
"""

from cascade_core.calibration import auroc, expected_calibration_error, fit_temperatures, reliability
from cascade_core.certificates import certify_path
from cascade_core.choice import Choice, load_choice, save_choice
from cascade_core.evaluation import Evaluation, evaluate
from cascade_core.exits import ExitRule, exit_stages
from cascade_core.importers import import_run
from cascade_core.paths import PathEvaluation, RulePath, evaluate_path
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
    choose,
)
from cascade_core.record import Record, Stage, StageOutputs
from cascade_core.store import load_record, load_run, save_run
from cascade_core.yardsticks import dominated, oracle, overthinking, random_exit_accuracy, single_stage

__version__ = "0.1.0"
"""As in pyproject.toml; a test compares them."""

__all__ = [
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
    "PaperRule",
    "PaperRuleByClass",
    "PathEvaluation",
    "Record",
    "RulePath",
    "SharedThreshold",
    "Stage",
    "StageOutputs",
    "auroc",
    "certify_path",
    "choose",
    "dominated",
    "evaluate",
    "evaluate_path",
    "exit_stages",
    "expected_calibration_error",
    "fit_temperatures",
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
]
