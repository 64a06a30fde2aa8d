"""A visitor of the page without a browser: it speaks the page's websocket, as recorded from a real browser.

The convention: one question at a time.  A question is a rerun with the widgets that differ from their first values; its
answer is every message up to the one that says that the script has finished.  A release of the live panel's slider
reruns the fragment that the panel is in, as the browser does; a change in the sidebar reruns all.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pyarrow as pa
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        leaving: Samples that leave at each stage, as the table below the panel says.
        expected: The same, as the live panel's payload has it for the position that was asked for.
        exceptions: Texts of those among the elements.
        seconds: From question to end.
    """

    leaving: tuple[int, ...]
    expected: tuple[int, ...]
    exceptions: tuple[str, ...]
    finished: bool
    seconds: float


@dataclass(kw_only=True)
class Panel:
    """The live panel as it was sent: its payload, where its slider stands, and the fragment that it is in."""

    payload: str = ""
    exit_counts: list[list[int]] = field(default_factory=list)
    position: int = 0
    fragment: str = ""


@dataclass(kw_only=True)
class Visitor:
    """One session.

    Attributes:
        ids: The page's widgets that it talks of (`policy`, `seed`, `live`, ...), to their ids.
        policies: Titles to select from.
        states: What the widgets were set to.
        cached: The last large message, by its hash, which the server need not send again.
    """

    socket: ClientConnection
    ids: dict[str, str] = field(default_factory=dict)
    policies: tuple[str, ...] = ()
    panel: Panel = field(default_factory=Panel)
    states: dict[str, WidgetState] = field(default_factory=dict)
    cached: dict[str, ForwardMsg] = field(default_factory=dict)
    session: str = ""

    async def release(self, index: int) -> Answer:
        """Let go of the slider at a position."""
        self.panel.position = index
        value = json.dumps({"position": {"id": self.panel.payload, "index": index, "turn": 0}})
        self.states["live"] = WidgetState(id=self.ids["live"], json_value=value)
        return await self.ask(self.panel.fragment)

    async def choose(self, policy: str) -> Answer:
        """Select a policy by its title."""
        self.states["policy"] = WidgetState(id=self.ids["policy"], string_value=policy)
        return await self.ask()

    async def draw(self, seed: int) -> Answer:
        """Enter a seed of the split."""
        self.states["seed"] = WidgetState(id=self.ids["seed"], int_value=seed)
        return await self.ask()

    async def upload(self, url: str, name: str, raw: bytes) -> Answer:
        """Drop a file on the page at `url`, as one's own softmaxes."""
        number = str(uuid.uuid4())
        await asyncio.to_thread(_put, url, f"/_stcore/upload_file/{self.session}/{number}", name, raw)
        state = WidgetState(id=self.ids["own_file"])
        state.file_uploader_state_value.uploaded_file_info.add(file_id=number, name=name, size=len(raw))
        self.states["own_file"] = state
        return await self.ask()

    async def ask(self, fragment: str = "") -> Answer:
        """Rerun the page, or a fragment of it, and wait until that has finished."""
        question = BackMsg()
        question.rerun_script.widget_states.widgets.extend(self.states.values())
        question.rerun_script.fragment_id = fragment
        question.rerun_script.cached_message_hashes.extend(self.cached)
        start = time.perf_counter()
        await self.socket.send(question.SerializeToString())
        elements: list[Element] = []
        while True:
            message = self._message(ForwardMsg.FromString(await self.socket.recv(decode=False)))
            if message.WhichOneof("type") == "script_finished":
                return self._answer(elements, message.script_finished in FINISHED, time.perf_counter() - start)
            if message.WhichOneof("type") == "delta" and message.delta.WhichOneof("type") == "new_element":
                elements.append(message.delta.new_element)
                self._notice(elements[-1], message.delta.fragment_id)

    def _answer(self, elements: list[Element], finished: bool, seconds: float) -> Answer:
        tables = [e.dataframe.arrow_data.data for e in elements if e.WhichOneof("type") == "dataframe"]
        leaving = pa.ipc.open_stream(tables[0]).read_all()["samples"].to_pylist() if tables else []
        errors = [e.exception for e in elements if e.WhichOneof("type") == "exception"]
        return Answer(
            leaving=tuple(leaving),
            expected=tuple(counts[self.panel.position] for counts in self.panel.exit_counts),
            exceptions=tuple(f"{error.type}: {error.message}" for error in errors),
            finished=finished,
            seconds=seconds,
        )

    def _message(self, message: ForwardMsg) -> ForwardMsg:
        """The message, or the earlier one that it refers to; a large one is kept, as a browser would."""
        if message.WhichOneof("type") == "new_session":
            self.session = message.new_session.initialize.session_id
        if message.WhichOneof("type") == "ref_hash":
            return self.cached[message.ref_hash]
        if message.metadata.cacheable:
            self.cached = {message.hash: message}
        return message

    def _notice(self, element: Element, fragment: str) -> None:
        kind = element.WhichOneof("type")
        data = json.loads(element.bidi_component.json) if kind == "bidi_component" else {}
        # The page has other components, which are no panel.
        if "exit_counts" in data:
            self.panel.fragment = fragment
            if data["id"] != self.panel.payload:
                self.panel.payload, self.panel.exit_counts = data["id"], data["exit_counts"]
                self.panel.position = data["slider"]["initial"]
        if kind in ("bidi_component", "selectbox", "number_input", "file_uploader"):
            name = str(getattr(element, kind).id)
            self.ids[name.rsplit("-", 1)[-1]] = name
            if name.endswith("-policy"):
                self.policies = tuple(element.selectbox.options)


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[Visitor]:
    """A visitor of the page at `url` ("http://..."), who has not asked for anything yet."""
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(address, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
        yield Visitor(socket=socket)


def _put(url: str, path: str, name: str, raw: bytes) -> None:
    """Send a file as a browser's form does, with the token against forged requests."""
    with urllib.request.urlopen(f"{url}/_stcore/health") as answer:
        cookie = answer.headers["Set-Cookie"].split(";")[0]
    border = uuid.uuid4().hex
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    headers = {
        "Cookie": cookie,
        "X-Xsrftoken": cookie.partition("=")[2],
        "Content-Type": f"multipart/form-data; boundary={border}",
    }
    form = head.encode() + raw + f"\r\n--{border}--\r\n".encode()
    urllib.request.urlopen(urllib.request.Request(url + path, form, headers, method="PUT")).close()
