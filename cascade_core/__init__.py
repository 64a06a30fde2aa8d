"""See, choose and ship the trade between accuracy and computation in cascaded (early-exit) inference.

A classifier cut into stages answers at the first stage whose confidence reaches that stage's
threshold.  `load_run` reads every stage's softmaxes on a validation set, `choose` turns a policy
into thresholds, `evaluate` says what they do to accuracy and cost, `save_choice` exports them.
Importing this package loads no torch, no streamlit and no plotly; networks live in
`cascade_core.nets`.
"""

from cascade_core.choice import Choice, load_choice, save_choice
from cascade_core.evaluation import Evaluation, evaluate
from cascade_core.exits import ExitRule, exit_stages
from cascade_core.importers import import_run
from cascade_core.paths import PathEvaluation, RulePath, evaluate_path
from cascade_core.policies import (
    CheapestWithinDrop,
    FixedThresholds,
    Infeasible,
    PaperRule,
    SharedThreshold,
    choose,
)
from cascade_core.record import Record, Stage, StageOutputs
from cascade_core.store import load_record, load_run, save_run

__all__ = [
    "CheapestWithinDrop",
    "Choice",
    "Evaluation",
    "ExitRule",
    "FixedThresholds",
    "Infeasible",
    "PaperRule",
    "PathEvaluation",
    "Record",
    "RulePath",
    "SharedThreshold",
    "Stage",
    "StageOutputs",
    "choose",
    "evaluate",
    "evaluate_path",
    "exit_stages",
    "import_run",
    "load_choice",
    "load_record",
    "load_run",
    "save_choice",
    "save_run",
]
