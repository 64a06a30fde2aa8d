// @ts-check
/**
 * The site of runs: pickers for run and policy, the live panel, a comparison, and the report of what is shown.
 *
 * A run's numbers are a script beside the page, which calls `cascadeRun`: a page that was opened from disk may load
 * scripts but not fetch.  The address names run and policy after its #, so that a link shows them again.
 */

import { bytesOf, unpack } from "../live/bytes.js";
import { mount } from "../live/panel.js";
import { mountChart } from "../comparison/chart.js";
import { compared, notCompared } from "./compared.js";

const byId = (id) => /** @type {any} */ (document.getElementById(id));
const { scripts, dashes } = JSON.parse(byId("index").textContent);
const pickers = { run: byId("run"), policy: byId("policy"), with: byId("with") };
const asked = new Map(); // script -> promise of what it holds
const waiting = new Map(); // script -> what takes its text
let panel = null;
let chart = null;
let turn = 0;

/** @type {any} */ (globalThis).cascadeRun = (script, text) => waiting.get(script)?.(text);

/** What a run's script holds. @param {string} run */
function held(run) {
  const script = scripts[run];
  if (!asked.has(script)) asked.set(script, loaded(script).then(inflated).then(JSON.parse));
  return asked.get(script);
}

function loaded(script) {
  return new Promise((resolve, reject) => {
    waiting.set(script, resolve);
    const node = document.createElement("script");
    node.addEventListener("error", () => {
      asked.delete(script);
      reject(new Error(`${script} does not lie beside this page, or cannot be read.`));
    });
    node.src = script;
    document.head.append(node);
  });
}

function inflated(text) {
  const bytes = new Blob([/** @type {BlobPart} */ (bytesOf(text))]);
  return new Response(bytes.stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
}

/** The panel's payload of a policy, with the samples that it shares with others. */
function payloadOf(run, policy) {
  const payload = run.payloads[policy];
  if (payload.shared === null) return payload;
  const sharing = Object.values(run.payloads).filter((one) => one.shared === payload.shared && one.thresholds);
  const early = payload.stages.slice(1).map((_, stage) => stage);
  const brought = early.map((stage) => [...new Set(sharing.flatMap((one) => one.thresholds[stage]))].filter((one) => one !== null));
  return { ...payload, groups: { ...run.samples[payload.shared], brought } };
}

async function present() {
  const [run, beside] = [pickers.run.value, pickers.with.value];
  const mine = (turn += 1);
  const here = await held(run);
  const there = beside && beside !== run ? await held(beside) : null;
  for (const option of pickers.policy.options) option.disabled = !(option.value in here.payloads);
  if (pickers.policy.selectedOptions[0]?.disabled) pickers.policy.value = Object.keys(here.payloads)[0];
  const policy = pickers.policy.value;
  const { title, headline, promise } = here.payloads[policy];
  const data = await unpack(payloadOf(here, policy));
  if (mine !== turn) return;
  byId("shown").textContent = `${run}, ${title}`;
  byId("promise").textContent = `${headline}. ${promise}`;
  panel?.destroy();
  panel = mount(byId("panel"), data);
  const others = there ? [[beside, there.payloads[policy]]] : Object.values(here.payloads).filter((one) => one.policy !== policy).map((one) => [run, one]);
  compare([[run, here.payloads[policy]], ...others]);
  byId("report").replaceChildren(document.createRange().createContextualFragment(here.reports[policy]));
  document.title = `${run}: ${title}`;
  document.body.dataset.shown = `${run} ${policy}`;
}

function compare(shown) {
  chart?.destroy();
  chart = null;
  const why = notCompared(shown);
  byId("not-compared").hidden = !why;
  byId("not-compared").textContent = why;
  if (!why) chart = mountChart(byId("chart"), compared(shown, dashes));
}

function follow() {
  const trouble = byId("trouble");
  trouble.hidden = true;
  present().catch((error) => {
    trouble.hidden = false;
    trouble.textContent = error.message;
    throw error;
  });
}

/** Take what the address names, as far as it is there. */
function fromAddress() {
  const named = new URLSearchParams(location.hash.slice(1));
  for (const [name, picker] of Object.entries(pickers)) {
    const wished = named.get(name);
    if ([...picker.options].some((option) => option.value === wished)) picker.value = wished;
  }
  follow();
}

for (const picker of Object.values(pickers)) {
  picker.addEventListener("change", () => {
    const named = Object.entries(pickers).map(([name, one]) => [name, one.value]).filter(([, value]) => value);
    history.replaceState(null, "", `#${new URLSearchParams(named)}`);
    follow();
  });
}
addEventListener("hashchange", fromAddress);
fromAddress();
