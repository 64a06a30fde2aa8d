"""The sidebar: what is explored.  It returns the user's selection and shows nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from cascade_core.analysis.exploration import Split
from cascade_core.panels import costs, questions, state, upload
from cascade_core.panels.questions import Question
from cascade_core.panels.runs import Run
from cascade_core.policies import SWEEPS
from cascade_core.rendering.published import PUBLISHED, SOURCE, PublishedResult, published_on
from cascade_core.simulation.bounds import ALPHA
from cascade_core.simulation.certificates import AMONG, Among, least_certifiable
from cascade_core.simulation.meters import Meter
from cascade_core.simulation.scores import GIVEN, SCORES, of_softmaxes
from cascade_core.support.terms import LABELS, Terms
from cascade_core.support.wording import fixed

PREFERRED_RUN = "cifar10-front-resnet20-resnet56"
"""The one of the shipped runs that saves most."""

FEW = 6
"""Runs that one list shows at once, whatever their kinds."""

LIKELIEST = (1, 2, 3, 5, 10, 20)
"""Numbers of likeliest answers that are offered, where there are more classes."""

NO_SOFTMAXES = (
    "This run has no softmaxes: thresholds are compared with the confidences that it gives. Margin, entropy, pooled "
    "answers and likeliest few need softmaxes, and are off."
)

COUNTS = (
    "This run holds counts of samples on a grid of confidences: thresholds are values of the grid, at which every "
    "number is exact. Other scores, pooled answers and single samples are not in it."
)

_AMONG = {
    "all": "all samples",
    "stage": "those that leave at any one stage",
    "depth": "those that have left by any stage",
}

_ANSWERS = {"auto": "automatic", "pooled": "pooled", "own": "each stage's own"}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What the user chose to look at, beside which published results, and judged on which other run too."""

    question: Question
    published: tuple[PublishedResult, ...]
    judge_on: Run | None = None

    @property
    def meter(self) -> Meter:
        """What costs are counted in."""
        return self.question.meter


def select(runs: Sequence[Run]) -> Selection:
    """Show the controls for `runs` (at least one) and return what is chosen."""
    with st.sidebar:
        run = _run(runs)
        with st.container():  # always there, so that what stands below keeps its place, and stays open
            upload.about(run)
        upload.offer()
        question = _question(run)
        question = replace(question, meter=costs.meter_of(run))
        published = _published(run, question.top_k)
        selection = Selection(question=question, published=published, judge_on=_judge_on(run, runs))
        _hold()
        return selection


def opening(runs: Sequence[Run]) -> Selection:
    """What is looked at first, before anything was chosen, of `runs` (at least one)."""
    names = {run.name: run for run in runs}
    run = names[_preferred(names)]
    question = Question(
        run=run,
        policy=state.POLICY.default,
        score=state.SCORE.default,
        answers=state.ANSWERS.default,
        split=Split(seed=state.SEED.default, in_sample=state.IN_SAMPLE.default),
        meter=costs.usual(run),
    )
    return Selection(question=question, published=_on_same_data(run))


def _question(run: Run) -> Question:
    policy = st.selectbox(
        "Policy",
        list(SWEEPS),
        format_func=lambda name: run.terms.of(SWEEPS[name].title),
        help="How thresholds follow from the slider.",
        key=state.POLICY.key,
    )
    st.caption(run.terms.of(SWEEPS[policy].promise))
    in_every, among = _in_every(run, policy), _among(run, policy)
    score, answers = _score_and_answers(run)
    about = "Draws which half of the samples chooses thresholds; the other half measures them."
    seed = st.number_input("Split seed", min_value=0, max_value=2**31 - 1, step=1, help=about, key=state.SEED.key)
    about = "Choose and measure on the same samples, as is often done. Looks better than it is."
    in_sample = st.toggle("In-sample numbers", help=about, key=state.IN_SAMPLE.key)
    split = Split(seed=int(seed), in_sample=in_sample)
    top_k = _top_k(len(run.metadata["class_names"]), run.terms) if run.has_softmaxes else 1
    return Question(
        run=run,
        policy=policy,
        score=score,
        answers=answers,
        split=split,
        top_k=top_k,
        in_every=in_every or None,
        among=among,
    )


def _in_every(run: Run, policy: str) -> str:
    """By what groups are, in each of which the policy's limit is to hold; nothing: in all samples together."""
    state.IN_EVERY.keep()
    if run.is_counted or not SWEEPS[policy].keeps_in_groups:
        return ""
    if state.IN_EVERY.get() not in run.divisions:
        state.IN_EVERY.set("")
    chosen = st.selectbox(
        "The limit holds in",
        ["", *run.divisions],
        format_func=lambda name: f"every {name}" if name else "all samples together",
        help=run.terms.of(
            "The accuracy drop of the slider is kept to in every group, expected or certified as the policy says. "
            "Where it is expected, a group with few samples leans on all; where certified, it may let nothing leave."
        ),
        key=state.IN_EVERY.key,
    )
    if chosen and SWEEPS[policy].tests:
        sizes = np.bincount(questions.groups(run, chosen).of)
        smallest = int(sizes[sizes > 0].min())
        least = fixed(100 * least_certifiable(smallest // 4, ALPHA), 1)
        st.caption(
            f"The smallest group has {smallest:,} samples, of which about a quarter test: below {least} points "
            "nothing can be certified in it, and nothing leaves early."
        )
    return str(chosen)


def _among(run: Run, policy: str) -> Among:
    """Among whom the policy's limit is to hold, where it can tell those that leave early from the others."""
    state.AMONG.keep()
    if "among" not in SWEEPS[policy].parameters():
        return state.AMONG.default
    return st.selectbox(
        "The limit holds among",
        AMONG,
        format_func=lambda name: _AMONG[name],
        help=run.terms.of(
            "A small accuracy drop of all samples may hide a large one among the few that leave early. Of few that "
            "leave, little can be certified: then less may leave, or none."
        ),
        key=state.AMONG.key,
    )


def _judge_on(run: Run, runs: Sequence[Run]) -> Run | None:
    """Another run with the same stages, costs and classes that thresholds are judged on too, where there is any."""
    state.JUDGE_ON.keep()
    others = {other.name: other for other in runs if other.name != run.name and other.is_of_the_same_cascade(run)}
    if state.JUDGE_ON.get() not in others:
        state.JUDGE_ON.set("")
    if not others:
        return None
    about = (
        "Another run of the same cascade: another month, a corrupted copy, a part of the samples. Thresholds are "
        "chosen as before and judged on it too; samples that chose, by their ids, judge nothing."
    )
    names, key = ["", *others], state.JUDGE_ON.key
    chosen = st.selectbox("Judge on, too", names, format_func=lambda name: name or "no other run", help=about, key=key)
    return others.get(chosen)


def _score_and_answers(run: Run) -> tuple[str, str]:
    """What thresholds are compared with, and who answers; of a run without softmaxes there is nothing to choose."""
    state.SCORE.keep()
    state.ANSWERS.keep()
    state.TOP_K.keep()
    if not run.has_softmaxes:
        st.caption(COUNTS if run.is_counted else NO_SOFTMAXES)
        return GIVEN, state.ANSWERS.default
    score = st.selectbox(
        "Confidence score",
        of_softmaxes(),
        format_func=lambda name: SCORES[name].title,
        help="What a stage's threshold is compared with. Larger is surer.",
        key=state.SCORE.key,
    )
    about = (
        "A stage may answer alone, or with the softmaxes of all stages that were passed, weighted as makes "
        f"{run.terms.labels} of the calibration half most likely. Automatic takes what is expected to save more on new "
        "samples."
    )
    answers = st.selectbox(
        "Answers", list(_ANSWERS), format_func=lambda name: _ANSWERS[name], help=about, key=state.ANSWERS.key
    )
    return score, answers


def _top_k(classes: int, terms: Terms) -> int:
    """How many of the likeliest answers may be the right one; fewer than there are classes."""
    offered = [k for k in LIKELIEST if k < classes] or [1]
    if state.TOP_K.get() not in offered:
        state.TOP_K.set(1)
    if len(offered) == 1:
        return 1
    state.TOP_K.keep()
    about = "An answer counts as right if the true class is among so many of its likeliest; the plain network's too."
    return st.selectbox(
        terms.of("Right if among the likeliest"),
        offered,
        format_func=lambda k: "1: the answer itself" if k == 1 else str(k),
        help=terms.of(about),
        key=state.TOP_K.key,
    )


def _hold() -> None:
    """At what other things are compared with this one; `place` and *Compare* read it from the session."""
    state.HOLD.keep()
    st.segmented_control(
        "Compare at",
        ["drop", "cost"],
        format_func=lambda held: f"the same {held}",
        required=True,
        help="Look at another run, policy, score or seed, and the slider goes where the drop, or the cost, is nearest "
        "to what it was here. The second panel of *Compare* follows the first likewise.",
        key=state.HOLD.key,
    )


def _run(runs: Sequence[Run]) -> Run:
    by_name: Mapping[str, Run] = {run.name: run for run in runs}
    gone = state.RUN.get()
    if gone not in by_name:
        state.RUN.set(_preferred(list(by_name)))
    names = _of_kind(by_name)
    chosen = st.selectbox(
        "Run",
        names,
        format_func=lambda name: f"{name} (yours)" if by_name[name].yours else name,
        help="A file in the cache folder, or one that you brought.",
        key=state.RUN.key,
    )
    if gone is not None and gone not in by_name:
        st.warning("The run that was looked at is gone:", icon=":material/folder_off:")
        st.text(gone)
    return by_name[chosen]


def _of_kind(by_name: Mapping[str, Run]) -> list[str]:
    """Names of the runs of the chosen run's kind, which may be changed; of all where they are few."""
    if len(by_name) <= FEW:
        return list(by_name)
    kinds: dict[str, list[str]] = {}
    for name, run in sorted(by_name.items(), key=lambda item: item[1].kind):
        kinds.setdefault(run.kind, []).append(name)

    def change() -> None:
        state.RUN.set(_preferred(kinds[state.RUN_KIND.get() or ""]))

    kind = by_name[state.RUN.get() or ""].kind
    if len(kinds) > 1:
        state.RUN_KIND.set(kind)
        about = "The list below has the runs of this kind: what they are results on, or what their files say."
        st.selectbox("Kind of run", list(kinds), help=about, key=state.RUN_KIND.key, on_change=change)
    return kinds[kind]


def _preferred(names: Collection[str]) -> str:
    return PREFERRED_RUN if PREFERRED_RUN in names else next(iter(names))


def _on_same_data(run: Run) -> tuple[PublishedResult, ...]:
    return tuple(published_on(run.origin.dataset))[:1]


def _published(run: Run, top_k: int) -> tuple[PublishedResult, ...]:
    if run.terms is not LABELS:
        st.caption("Published results are accuracies, and not drawn where there are no labels.")
        return ()
    titles = {series.name: series for series in PUBLISHED}
    same_data = _on_same_data(run)
    words = {"auto": same_data[0].name if same_data else "none on these data", "none": "none"}
    state.PUBLISHED.keep()
    chosen = st.selectbox(
        "Published results",
        ["auto", *(name for name in titles if name != words["auto"]), *(["none"] if same_data else [])],
        format_func=lambda name: words.get(name, name),
        help=f"Shown on the accuracy-compute curve. {SOURCE}.",
        key=state.PUBLISHED.key,
    )
    if top_k > 1 and chosen != "none":
        st.caption("They count the answer itself, and are not drawn beside the likeliest few.")
        return ()
    if chosen == "auto":
        return same_data
    return (titles[chosen],) if chosen in titles else ()
