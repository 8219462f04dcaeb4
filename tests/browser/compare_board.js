// Takes a history's facts turn by turn into a board; the first turn after which it differs from the snapshot of then.
async (frames) => {
  const { Board } = await import("/ui/board.js");
  const together = new Set(["connected", "consulting", "three_way", "agency_only"]);
  // While a leg is on its way into a bridge (milliseconds) a snapshot says so and no fact does: neither is compared.
  const call = ({ state, operator, destination, party, seeks, spoke, assessed, direction }) => ({
    state: state === "arrived" ? "in_ivr" : state,
    operator: together.has(state) && state !== "agency_only" ? operator : null,
    destination: together.has(state) && state !== "agency_only" ? destination : null,
    direction,
    spoke,
    seeks: state === "agency_only" && seeks,
    flagged: assessed?.flagged ?? null,
    party: party && [party.name, party.kind, party.mode, (state === "three_way" || state === "agency_only") && party.joined, party.spoke],
  });
  const operator = ({ name, state, reason, online, call, last_call, agency }) => [name, state, reason, online, call, last_call, agency];
  const callback = ({ number, owner, attempts, attempt }) => [number, owner, attempts, attempt];
  const by = (entries, name, reduce) => Object.fromEntries(entries.map((each) => [`${name} ${each[name]}`, reduce(each)]));
  const shown = (calls, operators, callbacks, alarms) => ({
    ...by(calls, "call", call),
    ...by(operators, "operator", operator),
    ...Object.fromEntries(callbacks.map((each) => [`callback ${each.call}`, callback(each)])),
    ...Object.fromEntries(alarms.map(({ kind, subject }) => [`alarm ${kind} ${subject}`, true])),
  });
  const board = new Board();
  for (const [turn, { facts, view, event, anew }] of frames.entries()) {
    if (anew) board.takeSnapshot(turn, structuredClone(view));
    else board.takeFacts(turn, facts);
    if (board.stale.delete("operators")) board.takeAnew("operators", structuredClone(view)); // as the page asks then
    const want = shown(view.calls, view.operators, view.callbacks, view.alarms);
    const got = shown(...[board.calls, board.operators, board.callbacks, board.alarms].map((each) => [...each.values()]));
    const wrong = [...new Set([...Object.keys(want), ...Object.keys(got)])]
      .map((name) => [name, JSON.stringify(want[name]), JSON.stringify(got[name])])
      .filter(([, wanted, found]) => wanted !== found);
    if (wrong.length) return [turn, event, wrong[0], JSON.stringify(facts)];
  }
  return [];
}
