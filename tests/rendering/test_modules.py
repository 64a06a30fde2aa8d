"""Several ES modules become one."""

from __future__ import annotations

import pytest

from cascade_core.rendering.live import live_js
from cascade_core.rendering.modules import bundled, joined


def test_what_is_imported_comes_first_and_once() -> None:
    texts = {
        "a/main.js": 'import { two } from "../b/two.js";\nimport {\n  one,\n} from "./one.js";\n\nexport let n = 1;\n',
        "b/two.js": 'import { one } from "../a/one.js";\n\nexport function two() {}\n',
        "a/one.js": '// @ts-check\n/** @import { A } from "./types.js" */\n\nexport const one = 1;\n',
    }
    expected = "const one = 1;\n\nfunction two() {}\n\nexport let n = 1;\n"
    assert joined("a/main.js", texts.__getitem__) == expected


def test_a_name_has_one_home() -> None:
    texts = {"a.js": 'import { b } from "./b.js";\n\nconst c = 1;\n', "b.js": "export const b = 1;\nfunction c() {}\n"}
    with pytest.raises(ValueError, match=r"one file to define c but b\.js and a\.js do"):
        joined("a.js", texts.__getitem__)


def test_a_circle_is_refused() -> None:
    texts = {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'}
    with pytest.raises(ValueError, match=r"a\.js -> b\.js -> a\.js is one"):
        joined("a.js", texts.__getitem__)


@pytest.mark.parametrize("text", [live_js(), bundled("report/report.js")])
def test_what_a_host_takes_imports_nothing(text: str) -> None:
    assert not any(line.startswith("import ") for line in text.splitlines())
