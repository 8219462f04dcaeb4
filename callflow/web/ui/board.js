// What stands now: takes snapshots and facts, and changes nothing else. The page draws from it.

export class Board {
  constructor() {
    this.seq = null;
    this.calls = new Map();
    this.operators = new Map();
    this.alarms = new Map();
    this.callbacks = new Map();
    this.roster = { now: [], next: null };
    this.reasons = [];
    this.agencies = [];
    this.classified = new Map();
    this.finished = 0;
    this.stale = new Set();
  }

  takeSnapshot(seq, snapshot) {
    this.seq = seq;
    this.calls = mapped(snapshot.calls, "call");
    this.operators = mapped(snapshot.operators, "operator");
    this.callbacks = mapped(snapshot.callbacks, "call");
    this.alarms = new Map(snapshot.alarms.map((alarm) => [alarmKey(alarm), alarm]));
    this.roster = snapshot.roster ?? { now: [], next: null };
    this.reasons = snapshot.pause_reasons;
    this.agencies = snapshot.agencies;
  }

  takeFacts(seq, facts) {
    this.seq = seq;
    for (const fact of facts) TAKE[fact.type]?.(this, fact, this.calls.get(fact.call));
  }

  /** What was asked for anew, by the name in `stale`. */
  takeAnew(what, answer) {
    if (what === "roster") this.roster = { now: answer.now, next: answer.next };
    if (what === "codes") Object.assign(this, { reasons: answer.pause_reasons, agencies: answer.agencies });
    if (what === "operators") this.operators = mapped(answer.operators, "operator");
  }

  /** An overdue call-back is one whose deadline passed, or has an alarm because it once did. */
  isOverdue({ call, deadline }, nowMs) {
    return Date.parse(deadline) < nowMs || this.alarms.has(alarmKey({ kind: "callback_overdue", subject: call }));
  }
}

const mapped = (entries, key) => new Map(entries.map((entry) => [entry[key], entry]));
const alarmKey = ({ kind, subject }) => `${kind} ${subject}`;

function end(board, fact) {
  if (board.calls.delete(fact.call)) board.finished += 1;
  for (const callback of board.callbacks.values()) if (callback.attempt === fact.call) callback.attempt = null;
}

/** A change of one call that is known. */
const ofCall = (change) => (board, fact, call) => {
  if (call) change(call, fact, board);
};

const TAKE = {
  CallOpened(board, fact) {
    const { call, caller, dialled, trunk, arrived_at, direction, callback_of } = fact;
    const nobody = { node: null, tier: null, skill: null, queued_at: null, connected_at: null, operator: null, destination: null };
    const nothing = { party: null, assessed: null, spoke: false, seeks: false };
    board.calls.set(call, { call, state: "in_ivr", caller, dialled, trunk, arrived_at, direction, callback_of, ...nobody, ...nothing, offers: [] });
  },
  IvrStepTaken: ofCall((call, fact) => {
    call.node = fact.node;
  }),
  CallQueued: ofCall((call, { tier, skill, at }) => {
    Object.assign(call, { state: "queued", tier, skill, queued_at: call.queued_at ?? at, connected_at: null, seeks: true, operator: null, destination: null });
    if (call.party) call.party.joined = false;
  }),
  OfferMade: ofCall((call, fact) => {
    if (fact.caller) call.caller = fact.caller;
    if (fact.assessed) call.assessed = fact.assessed;
    const { offer, operator, destination, purpose, at } = fact;
    call.offers.push({ offer, operator, destination, purpose, state: "ringing", made_at: at });
    if (purpose !== "party" || !call.party) return;
    Object.assign(call.party, { offer, destination, joined: false, spoke: false });
    if (call.state === "three_way") call.state = "connected"; // the destination before is gone
  }),
  OfferClosed: ofCall((call, fact) => {
    const offer = call.offers.find((made) => made.offer === fact.offer);
    if (offer) offer.state = fact.outcome;
  }),
  CallConnected: ofCall((call, fact) => {
    if (fact.caller) call.caller = fact.caller;
    if (fact.assessed) call.assessed = fact.assessed;
    const { operator, destination, at } = fact;
    call.connected_at ??= at;
    // An agency that alone speaks with the caller answers the call too, but nobody serves the caller by that.
    if (fact.offer !== call.party?.offer) {
      Object.assign(call, { state: call.party?.joined ? "three_way" : "connected", operator, destination, seeks: false });
    }
    const offer = call.offers.find((made) => made.offer === fact.offer);
    if (offer) offer.state = "answered";
  }),
  PersonLost: ofCall((call) => {
    Object.assign(call, { operator: null, destination: null, seeks: true });
  }),
  OperatorLeft: ofCall((call, fact) => {
    Object.assign(call, { state: "agency_only", operator: null, destination: null, seeks: !fact.confirmed });
  }),
  PartySought: ofCall((call, { name, kind, mode, operator }) => {
    call.party = { name, kind, mode, operator, offer: null, destination: null, joined: false, spoke: false };
    if (mode === "direct" && operator !== null) call.seeks = false; // a blind transfer
  }),
  PartyJoined: ofCall((call, { offer, destination, three_way }) => {
    if (call.party) Object.assign(call.party, { offer, destination, joined: true });
    call.state = three_way ? "three_way" : "agency_only";
  }),
  PartySpoke: ofCall((call) => {
    if (call.party) call.party.spoke = true;
  }),
  PartyGone: ofCall((call, { reason }) => {
    const { party } = call;
    call.party = null;
    if (reason === "became_person") Object.assign(call, { state: "connected", operator: party?.name ?? null, seeks: false });
    else if (call.state === "three_way" || call.state === "consulting") call.state = "connected";
    // Given up for the next destination; that none is left comes as another fact.
    if (reason === "silent" && party) call.party = { ...party, offer: null, destination: null, joined: false, spoke: false };
  }),
  ConsultationBegan: ofCall((call, { offer }) => {
    call.state = "consulting";
    if (call.party) call.party.offer = offer;
  }),
  ConsultationEnded: ofCall((call) => {
    if (call.state === "consulting") call.state = "connected";
  }),
  CallerAssessed: ofCall((call, { score, flagged, warned, reason_id, reason_en }) => {
    call.assessed = { score, flagged, warned, reason_id, reason_en };
  }),
  CallerSpoke: ofCall((call) => {
    call.spoke = true;
  }),
  ChallengeAnswered: ofCall((call) => {
    call.pressed = true;
  }),
  CallClassified(board, fact) {
    board.classified.set(fact.call, fact.classification);
  },
  CallEnded: end,
  CallHandedBack: end,
  CallServedInFallback(board) {
    board.finished += 1;
  },
  CallbackOpened(board, { call, number, deadline, at }) {
    board.callbacks.set(call, { call, number, opened_at: at, deadline, owner: null, attempts: 0, attempt: null });
  },
  CallbackAssigned(board, { call, operator, deadline }) {
    const known = board.callbacks.get(call);
    if (known) Object.assign(known, { owner: operator, deadline });
  },
  CallbackTried(board, { call, attempt, operator }) {
    const known = board.callbacks.get(call);
    if (known) Object.assign(known, { attempt, attempts: known.attempts + 1, owner: operator });
  },
  CallbackClosed(board, { call }) {
    board.callbacks.delete(call);
  },
  OperatorUpdated(board, fact) {
    const { operator, name, skills, agency } = fact.profile;
    const known = board.operators.get(operator);
    if (!fact.active) board.operators.delete(operator);
    else if (known) Object.assign(known, { name, skills, agency });
    else {
      // New, or back again: in which state is asked for.
      board.operators.set(operator, { operator, name, skills, agency, state: "signed_out", since: fact.at, reason: "", online: false, call: null, last_call: null });
      board.stale.add("operators");
    }
  },
  OperatorMoved(board, fact) {
    const { operator, state, reason, online, call, at } = fact;
    const known = board.operators.get(operator);
    if (!known) return; // retired, and at the end of a last call
    const since = known.state === state ? known.since : at;
    const last_call = state === "on_call" && call ? call : known.last_call;
    Object.assign(known, { state, reason, online, call, last_call, since });
  },
  AlarmRaised(board, fact) {
    const { kind, subject, detail, at } = fact;
    board.alarms.set(alarmKey(fact), { kind, subject, detail, since: at });
    const callback = kind === "callback_overdue" ? board.callbacks.get(subject) : undefined;
    if (callback) callback.owner = null;
  },
  AlarmCleared(board, fact) {
    board.alarms.delete(alarmKey(fact));
  },
  // What these facts say is asked for anew.
  SettingsApplied: (board) => board.stale.add("codes"),
  RosterInForce: (board) => board.stale.add("roster"),
  ShiftBegan: (board) => board.stale.add("roster"),
};
