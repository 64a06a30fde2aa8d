// @ts-check
/**
 * Samples as cards or tiles, in groups.  A press on one is told as {kind: "sample", id}, a press on a group's "all" as
 * {kind: "samples", of}.  Whatever comes from a file is set as text.
 */

/**
 * @typedef {{stage: number|null, name: string, short: string, answer: string, confidence: string, right: boolean, verdict: string, colour: string|null}} Line
 * @typedef {{id: string, name: string, label: string, truth: string, verdict: string, fate: string, cost: string, new: boolean,
 *   picture: {uri: string, crisp: boolean}|null, answers: Line[], plain: Line}} Shown
 * @typedef {{kind: string, title: string, total: number, words: string, cards: Shown[]}} Group
 * @typedef {{look: "cards"|"tiles", wrong: string, line: string, groups: Group[]}} Gallery
 */

const LONGEST_IN_TILE = 18; // letters

/** What stands in each place of the page, so that a run of the page that changes nothing redraws nothing. */
const standing = new WeakMap();

/** @param {{parentElement: HTMLElement, data: Gallery, setTriggerValue: (name: string, value: object) => void}} component */
export default function streamlit({ parentElement, data, setTriggerValue }) {
  const text = JSON.stringify(data);
  if (standing.get(parentElement)?.text === text) return;
  standing.get(parentElement)?.shell.remove();
  const shell = drawGallery(data, (event) => setTriggerValue("opened", event));
  parentElement.append(shell);
  standing.set(parentElement, { text, shell });
}

/** @param {Gallery} data @param {(event: object) => void} tell */
export function drawGallery(data, tell) {
  const shell = element("div", "");
  shell.className = "cascade-gallery";
  shell.style.setProperty("--wrong", data.wrong);
  shell.style.setProperty("--line", data.line);
  const groups = element("div", data.look);
  groups.append(...data.groups.map((group) => drawGroup(group, data.look, tell)));
  shell.append(groups);
  return shell;
}

/** @param {Group} group */
function drawGroup(group, look, tell) {
  const node = element("section", "group", { "data-kind": group.kind });
  if (group.title) node.append(heading(group, tell));
  const list = element("ul", "list");
  if (look === "tiles" && group.cards.some((card) => !card.picture)) list.classList.add("cascade-gallery__tall");
  for (const card of group.cards) {
    const item = element("li", "item");
    item.append(...(look === "tiles" ? [tile(card, tell)] : entry(card, tell)));
    list.append(item);
  }
  node.append(list);
  return node;
}

/** @param {Group} group */
function heading(group, tell) {
  const head = element("div", "head");
  head.append(element("h3", "title", {}, group.title));
  if (group.total > group.cards.length) {
    const all = element("button", "all", { type: "button" }, `all ${group.total.toLocaleString("en-US")} in Samples`);
    all.addEventListener("click", () => tell({ kind: "samples", of: group.kind }));
    head.append(all);
  }
  head.append(element("p", "words", {}, group.words));
  return head;
}

/** A small one, all of which opens the sample. @param {Shown} card */
function tile(card, tell) {
  const [left] = card.answers;
  const node = opener(card, "tile", tell);
  const words = element("span", "lines");
  words.append(
    element("b", "label", {}, card.label),
    answer(left, left.answer),
    element("span", "quiet", { title: left.name }, `${left.confidence} at ${stageName(left)}`),
    answer(card.plain, `plain: ${card.plain.answer}`),
  );
  if (!card.picture) words.append(element("span", "quiet", {}, card.name));
  node.append(...picture(card), words);
  if (card.new) node.append(element("span", "new", {}, "new"));
  return node;
}

/** A stage's name if it is short enough for a tile, else its number. @param {Line} line */
function stageName({ name, stage }) {
  return name.length <= LONGEST_IN_TILE || stage === null ? name : `stage ${stage + 1}`;
}

/** A large one: its picture opens the sample, and every later stage's answer is told. @param {Shown} card */
function entry(card, tell) {
  const open = opener(card, "open", tell);
  const shown = picture(card);
  open.append(...(shown.length ? shown : [element("span", "", {}, "Try it")]));
  const words = element("div", "text");
  words.append(element("p", "label", {}, card.label));
  if (card.verdict) words.append(element("span", card.verdict, {}, card.fate));
  words.append(element("p", "quiet", {}, card.cost));
  const id = element("p", "id", { title: card.name });
  id.append(...breakable(card.name));
  const table = element("table", "answers");
  table.append(...card.answers.map((line, place) => row(line, place === 0)));
  return [open, words, id, table];
}

/** A name as texts that lines may be broken between: behind what parts its words. */
function breakable(name) {
  return name.split(/(?<=[/_.\-\s])/).flatMap((part) => [document.createTextNode(part), document.createElement("wbr")]);
}

/** @param {Shown} card */
function opener(card, name, tell) {
  const [left] = card.answers;
  const fate = [card.new && "new", card.fate].filter(Boolean).join(", ");
  const label = `Try ${card.name}: ${fate ? `${fate}, ` : ""}${card.truth}, answered ${left.answer} at ${left.name}`;
  const node = element("button", name, { type: "button", "aria-label": label, title: `${card.name}: open it in Try it` });
  node.addEventListener("click", () => tell({ kind: "sample", id: card.id }));
  return node;
}

/** @param {Shown} card */
function picture(card) {
  if (!card.picture) return [];
  return [element("img", card.picture.crisp ? "crisp" : "smooth", { src: card.picture.uri, alt: card.name })];
}

/** @param {Line} line */
function answer(line, text) {
  const node = element("span", line.right ? "right" : "wrong", { title: text });
  if (line.colour) node.append(disc(line));
  node.append(element("span", "cut", {}, text), line.right ? " ✓" : " ✗");
  return node;
}

/** @param {Line} line */
function disc(line) {
  const node = element("i", "disc");
  node.style.setProperty("--stage", line.colour ?? "currentcolor");
  return node;
}

/** @param {Line} line @param {boolean} here */
function row(line, here) {
  const node = element("tr", here ? "here" : "later");
  node.style.setProperty("--stage", line.colour ?? "transparent");
  const name = element("td", "stage", { title: line.name });
  if (line.stage !== null) name.append(element("b", "number", {}, String(line.stage + 1)));
  name.append(...breakable(line.short));
  node.append(
    name,
    element("td", "", { title: line.answer }, line.answer),
    element("td", "", {}, line.confidence),
    element("td", line.right ? "right" : "wrong", { title: line.verdict }, line.right ? "✓" : "✗"),
  );
  return node;
}

/** An element of HTML; its class is named as this file's are. */
function element(tag, name, attributes = {}, text = "") {
  const node = document.createElement(tag);
  if (name) node.className = `cascade-gallery__${name}`;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}
