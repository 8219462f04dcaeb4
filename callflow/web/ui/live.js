// Keeps one live websocket open: resumes after the last number, and notices silence. A link that is silent is away.

const SILENT_AFTER_MS = 15000;
const LONGEST_PAUSE_MS = 5000;
const SIGNED_OUT = 4401;

export class Live {
  /** `on` has: snapshot(seq, snapshot), facts(seq, facts), link({server, engine}), clock(serverMs), signedOut(). */
  constructor(on) {
    this.on = on;
    this.seq = null;
    this.link = { server: false, engine: false };
    this.pause = 500;
    this.stopped = true;
  }

  start() {
    this.stopped = false;
    this.seq = null;
    this.open();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    this.socket?.close();
  }

  open() {
    const after = this.seq === null ? "" : `?after=${this.seq}`;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/live${after}`);
    this.socket = socket;
    this.listen();
    socket.onmessage = (message) => {
      if (socket !== this.socket || this.stopped) return;
      this.listen();
      this.pause = 500;
      this.take(JSON.parse(message.data));
    };
    socket.onclose = (event) => {
      if (socket !== this.socket) return;
      clearTimeout(this.silence);
      this.tell({ server: false, engine: false });
      if (this.stopped) return;
      if (event.code === SIGNED_OUT) {
        this.on.signedOut();
        return;
      }
      this.timer = setTimeout(() => this.open(), this.pause * (0.75 + Math.random() / 2));
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
      this.on.dropped();
    };
  }

  listen() {
    clearTimeout(this.silence);
    const socket = this.socket;
    this.silence = setTimeout(() => {
      // A close handshake with a peer that is gone can take minutes: do not wait for it.
      socket.close();
      socket.onclose?.({ code: 1006 });
      socket.onclose = null;
    }, SILENT_AFTER_MS);
  }

  take(frame) {
    switch (frame.type) {
      case "snapshot":
        this.seq = frame.seq;
        this.on.snapshot(frame.seq, frame.snapshot);
        break;
      case "facts":
        this.seq = frame.seq;
        this.on.facts(frame.seq, frame.facts);
        break;
      case "engine":
        this.tell({ server: true, engine: frame.state === "connected" });
        break;
      case "beat":
        this.on.clock(Date.parse(frame.at));
        break;
    }
  }

  tell(link) {
    this.link = link;
    this.on.link(link);
  }
}
