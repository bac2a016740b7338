// What a stream has said so far, as the snapshot that a stream which began now would give.

export class Picture {
  #events = new Map();

  clear() {
    this.#events.clear();
  }

  take(name, data) {
    if (name === "availability") this.#forgetStates(data.room); // a room's states are said anew after it
    const key = JSON.stringify([name, data.room, data.device]);
    if (["description", "availability", "state", "sum", "lockdown", "order", "audit"].includes(name)) {
      this.#events.delete(key);
      this.#events.set(key, { name, data });
    }
  }

  events() {
    return [{ name: "hello", data: {} }, ...this.#events.values(), { name: "ready", data: {} }];
  }

  #forgetStates(room) {
    for (const [key, { name, data }] of this.#events) if (name === "state" && data.room === room) this.#events.delete(key);
  }
}
