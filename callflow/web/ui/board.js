// What stands now: takes snapshots and facts, and changes nothing else. The page draws from it.

export class Board {
  constructor() {
    this.seq = null;
    this.calls = new Map();
    this.operators = new Map();
    this.alarms = new Map();
    this.finished = 0;
  }

  takeSnapshot(seq, snapshot) {
    this.seq = seq;
    this.calls = new Map(snapshot.calls.map((call) => [call.call, call]));
    this.operators = new Map(snapshot.operators.map((operator) => [operator.operator, operator]));
    this.alarms = new Map(snapshot.alarms.map((alarm) => [alarmKey(alarm), alarm]));
  }

  takeFacts(seq, facts) {
    this.seq = seq;
    for (const fact of facts) TAKE[fact.type]?.(this, fact, this.calls.get(fact.call));
  }
}

const alarmKey = ({ kind, subject }) => `${kind} ${subject}`;

function end(board, fact) {
  if (board.calls.delete(fact.call)) board.finished += 1;
}

const TAKE = {
  CallOpened(board, fact) {
    const { call, caller, dialled, trunk, arrived_at } = fact;
    const rest = { node: null, tier: null, skill: null, queued_at: null, connected_at: null, operator: null, destination: null };
    board.calls.set(call, { call, state: "in_ivr", caller, dialled, trunk, arrived_at, ...rest, offers: [] });
  },
  IvrStepTaken(board, fact, call) {
    if (call) call.node = fact.node;
  },
  CallQueued(board, fact, call) {
    if (!call) return;
    const { tier, skill, at } = fact;
    Object.assign(call, { state: "queued", tier, skill, queued_at: call.queued_at ?? at, connected_at: null, operator: null, destination: null });
  },
  OfferMade(board, fact, call) {
    if (!call) return;
    if (fact.caller) call.caller = fact.caller;
    const { offer, operator, destination, at } = fact;
    call.offers.push({ offer, operator, destination, state: "ringing", made_at: at });
  },
  OfferClosed(board, fact, call) {
    const offer = call?.offers.find((made) => made.offer === fact.offer);
    if (offer) offer.state = fact.outcome;
  },
  CallConnected(board, fact, call) {
    if (!call) return;
    if (fact.caller) call.caller = fact.caller;
    const { operator, destination, at } = fact;
    Object.assign(call, { state: "connected", operator, destination, connected_at: at });
    const offer = call.offers.find((made) => made.offer === fact.offer);
    if (offer) offer.state = "answered";
  },
  PersonLost(board, fact, call) {
    if (call) Object.assign(call, { operator: null, destination: null });
  },
  CallEnded: end,
  CallHandedBack: end,
  CallServedInFallback(board) {
    board.finished += 1;
  },
  OperatorUpdated(board, fact) {
    const { operator, name, skills } = fact.profile;
    if (!fact.active) {
      board.operators.delete(operator);
      return;
    }
    const known = board.operators.get(operator) ?? { operator, state: "signed_out", since: fact.at, reason: "", online: false, call: null };
    board.operators.set(operator, { ...known, name, skills });
  },
  OperatorMoved(board, fact) {
    const { operator, state, reason, online, call, at } = fact;
    const known = board.operators.get(operator) ?? { operator, name: operator, skills: [], since: at };
    const since = known.state === state ? known.since : at;
    board.operators.set(operator, { ...known, state, reason, online, call, since });
  },
  AlarmRaised(board, fact) {
    const { kind, subject, detail, at } = fact;
    board.alarms.set(alarmKey(fact), { kind, subject, detail, since: at });
  },
  AlarmCleared(board, fact) {
    board.alarms.delete(alarmKey(fact));
  },
};
