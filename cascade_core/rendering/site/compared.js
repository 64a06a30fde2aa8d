// @ts-check
/** Payloads of the live panel -> what the comparison's chart draws, as `comparison_data` of data.py makes it in Python. */

/** Why these cannot be drawn as one, in a sentence; "" where they can. @param {[string, any][]} shown */
export function notCompared(shown) {
  const absent = shown.some(([, payload]) => !payload);
  if (absent) return "That run has no such policy.";
  const units = [...new Set(shown.map(([, payload]) => payload.axes.costs))];
  return units.length > 1 ? `Costs of these runs have different units: ${units.join("; ")}.` : "";
}

/**
 * A colour for each run, a dash for each policy; the first is the one that is looked at.
 * @param {[string, any][]} shown runs and payloads @param {string[]} dashes
 */
export function compared(shown, dashes) {
  const payloads = shown.map(([, payload]) => payload);
  const runs = [...new Set(shown.map(([run]) => run))];
  const titles = [...new Set(payloads.map((payload) => payload.title))];
  const shares = new Set(payloads.map((payload) => payload.baseline.cost)).size === 1;
  const [first] = payloads;
  const per = (payload) => (shares ? payload.baseline.cost : 1);
  const dash = (title) => dashes[titles.indexOf(title) % dashes.length];
  return {
    runs: runs.map((run, colour) => runOf(run, colour, shown.find(([one]) => one === run)?.[1], per)),
    curves: shown.map(([run, payload], i) => ({
      ...curveOf(payload, per(payload)),
      run,
      label: runs.length > 1 ? run : payload.title,
      colour: runs.indexOf(run),
      looked_at: i === 0,
      dash: dash(payload.title),
    })),
    terms: first.terms,
    policies: titles.map((title) => ({ title, dash: dash(title) })),
    pinned: [],
    published: shares ? first.curve.published : [],
    shares,
    unit: first.cost_unit,
    axis: shares ? first.axes.shares : first.axes.costs,
  };
}

function runOf(run, colour, payload, per) {
  const { baseline, curve } = payload;
  const oracle = { cost: (curve.oracle.cost * baseline.cost) / per(payload), accuracy: curve.oracle.accuracy };
  return { run, name: run, colour, plain: { cost: baseline.cost / per(payload), accuracy: baseline.accuracy }, oracle };
}

/** From the cheapest point on. */
function curveOf(payload, per) {
  const order = payload.cost.map((_, i) => i).sort((a, b) => payload.cost[a] - payload.cost[b]);
  const taken = (name) => order.map((i) => payload[name][i]);
  const cost = taken("cost").map((one) => one / per);
  return { policy: payload.title, terms: payload.terms, cost, accuracy: taken("accuracy"), drop: taken("drop"), saving: taken("saving"), certain: null, spread: null };
}
