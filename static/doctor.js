// doctor.js fills in the page that tells what works (server/page/doctor.templ):
// one check after the other, each within a limit. A check returns what it found,
// [state, key, ...args]: the sentence is words["name.key"]. None changes anything
// that the chat has kept here.
(() => {
  "use strict";
  const doc = document, at = doc.currentScript.dataset;
  const words = JSON.parse(doc.getElementById("words").textContent);
  const zh = doc.documentElement.lang === "zh", locale = zh ? "zh-CN" : "en";
  const limit = 10000; // milliseconds that a check may take

  const say = (key, args = []) => (words[key] || key).replace(/\{(\d)\}/g, (_, i) => String(args[i] ?? ""));
  const works = (key, ...args) => ["works", key, ...args];
  const attention = (key, ...args) => ["attention", key, ...args];
  const broken = (key, ...args) => ["broken", key, ...args];
  const none = (key, ...args) => ["none", key, ...args];
  const reason = (err) => (err && (err.name || err.message)) || String(err);

  const unit = (n, name) => new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "long", maximumFractionDigits: n < 10 ? 1 : 0 }).format(n);
  const span = (ms) => {
    if (ms < 1000) return unit(Math.round(ms), "millisecond");
    for (const [most, size, name] of [[120, 1000, "second"], [120, 60000, "minute"], [48, 3600000, "hour"]]) {
      if (ms < most * size) return unit(ms / size, name);
    }
    return unit(ms / 86400000, "day");
  };
  const room = (bytes) => {
    const names = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
    const i = bytes < 1 ? 0 : Math.min(names.length - 1, Math.floor(Math.log10(bytes) / 3));
    return new Intl.NumberFormat(locale, { style: "unit", unit: names[i], maximumSignificantDigits: 3 }).format(bytes / 1000 ** i);
  };
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const within = (ms, what) => new Promise((done, failed) => {
    setTimeout(failed, ms, "late");
    what.then(done, failed);
  });

  // What earlier checks have found for later ones, afresh in each round.
  let found = {};

  const asked = (url, options, signal) => fetch(url, { cache: "no-store", credentials: "same-origin", signal, ...options });
  // json returns the answer's status, and its body where that is JSON.
  const json = async (url, options, signal) => {
    const answer = await asked(url, options, signal);
    const body = /json/.test(answer.headers.get("Content-Type")) ? await answer.json().catch(() => null) : null;
    return { ok: answer.ok && !!body, status: answer.status, body };
  };

  const registered = async () => {
    if (!navigator.serviceWorker) return null;
    return (await navigator.serviceWorker.getRegistration("/").catch(() => null)) || null;
  };

  // kit returns what the server writes before the service worker (server/web/app.go).
  const kit = async (signal) => {
    const answer = await asked("/sw.js", {}, signal);
    if (!answer.ok) throw new Error(String(answer.status));
    const [, text] = (await answer.text()).match(/^self\.kama=(\{.*\});\n/) || [];
    if (!text) throw new Error(answer.headers.get("Content-Type") || "?");
    return JSON.parse(text);
  };

  const request = (r) => new Promise((done, failed) => {
    r.onsuccess = () => done(r.result);
    r.onerror = () => failed(r.error);
  });

  // The database of one account, as idb.js made it; null where it did not. It
  // is not read by idb.js: that would also take over what other pages send.
  const database = (name) => new Promise((done, failed) => {
    const r = indexedDB.open(name);
    let fresh = false;
    r.onupgradeneeded = () => { fresh = true; r.transaction.abort(); };
    r.onsuccess = () => done(r.result);
    r.onerror = () => (fresh ? done(null) : failed(r.error));
  });

  const records = async (name, read) => {
    const db = await database(name);
    if (!db) return null;
    db.onversionchange = () => db.close(); // sign-out wipes it
    try {
      return await read(db.transaction("records").objectStore("records"));
    } finally {
      db.close();
    }
  };

  // socket opens one as the chat does, and returns how far it came: "shut",
  // "opened", "closed" or "welcome", with how long that took.
  const socket = (signal) => new Promise((done) => {
    const began = performance.now();
    let state = "shut", why = "";
    const ws = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws", "kamachat.v1");
    const end = () => {
      done({ state, why, ms: performance.now() - began });
      ws.onclose = null;
      ws.close();
    };
    signal.addEventListener("abort", end);
    setTimeout(end, limit - 2000);
    ws.onopen = () => {
      state = "opened";
      ws.send(JSON.stringify({ k: "hello", b: { device: "doctor", build: at.build } }));
    };
    ws.onmessage = ({ data }) => {
      const all = [JSON.parse(data)].flat();
      if (all.some((f) => f.k === "welcome")) state = "welcome";
      if (state === "welcome") end();
    };
    ws.onclose = ({ code, reason: said }) => {
      if (state === "opened") state = "closed";
      why = [code, said].filter(Boolean).join(" ");
      end();
    };
  });

  const spare = 50e6; // bytes below which storage is short

  const checks = {
    async connection(signal) {
      const began = performance.now(), wall = Date.now();
      const { ok, status, body, err } = await json("/api/v1/doctor", { method: "POST" }, signal).catch((err) => ({ err }));
      if (err) return broken("down", navigator.onLine ? reason(err) : "offline");
      if (!ok && !(body && body.code)) return broken("other", status);
      if (!ok && body.code !== "forbidden") throw new Error(body.detail);
      found.site = "other"; // whence the server forbids it
      if (ok) {
        found.probe = body;
        found.trip = performance.now() - began;
        found.skew = wall + found.trip / 2 - body.at;
        found.site = body.site;
      }
      const { nextHopProtocol } = performance.getEntriesByType("navigation")[0] || {};
      if (location.protocol === "https:") return ok && !body.secure ? attention("header") : works("https", nextHopProtocol);
      return isSecureContext ? works("local", nextHopProtocol || "http") : attention("http");
    },

    async site() {
      if (found.site === "same") return works("same");
      if (found.site === "dumb") return attention("dumb");
      if (found.site !== "other") return null;
      const { host } = found.probe || {};
      return host ? broken("asked", location.origin, host) : broken("other", location.origin);
    },

    async clock() {
      if (found.skew === undefined) return null;
      const off = Math.abs(found.skew);
      if (off - found.trip / 2 < 30000) return works("right", span(Math.max(1000, off + found.trip / 2)));
      return found.skew > 0 ? attention("ahead", span(off)) : attention("behind", span(off));
    },

    async socket(signal) {
      // What is no socket is told so by the server, and by no one else in this way.
      const reach = async () => {
        const { status } = await asked("/ws", {}, signal);
        return status === 426 ? "" : status;
      };
      if (!found.probe) return null;
      if (!found.probe.signed_in) {
        const other = await reach();
        return other === "" ? none("reached") : broken("lost", other);
      }
      const { state, why, ms } = await socket(signal);
      if (state === "welcome") return ms < 2000 ? works("works", span(ms)) : attention("slow", span(ms));
      if (state === "opened") return broken("silent");
      if (state === "closed") return broken("closed", why);
      if (found.site === "other") return broken("site");
      const other = await reach();
      return other === "" ? broken("blocked") : broken("lost", other);
    },

    async program(signal) {
      if (!at.wasm) return none("none");
      if (!found.probe) return null;
      // The smallest module there is.
      const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
      try {
        await WebAssembly.compile(empty);
      } catch {
        return broken("blocked");
      }
      const { ok, status, headers } = await asked(at.wasm, { method: "HEAD" }, signal);
      if (!ok) return broken("lost", status);
      const kind = headers.get("Content-Type") || "", packed = headers.get("Content-Encoding");
      if (kind !== "application/wasm") return attention("kind", kind);
      if (!packed) return attention("large");
      try {
        await WebAssembly.compileStreaming(new Response(empty, { headers: { "Content-Type": kind } }));
      } catch {
        return attention("slow");
      }
      return works("works", packed);
    },

    async storage() {
      const name = "kama-doctor"; // sign-out wipes what is called so
      try {
        const r = indexedDB.open(name, 1);
        r.onupgradeneeded = () => r.result.createObjectStore("records");
        const db = await request(r);
        const tx = db.transaction("records", "readwrite").objectStore("records");
        await request(tx.put("kept", "key"));
        const kept = await request(db.transaction("records").objectStore("records").get("key"));
        db.close();
        await request(indexedDB.deleteDatabase(name));
        if (kept !== "kept") throw new Error("lost");
      } catch (err) {
        return broken("broken", reason(err));
      }
      const { usage, quota } = (navigator.storage && navigator.storage.estimate && await navigator.storage.estimate()) || {};
      if (!quota) return works("untold");
      const left = quota - usage;
      return left < spare ? attention("short", room(left)) : works("works", room(usage), room(quota));
    },

    async persist() {
      if (!navigator.storage || !navigator.storage.persisted) return none("none");
      if (await navigator.storage.persisted()) return works("yes");
      const ask = async () => ((await navigator.storage.persist()) ? works("yes") : attention("no"));
      return [...attention("may"), { ask }];
    },

    async kept() {
      if (typeof indexedDB === "undefined") return none("none");
      try {
        const who = await records("kama", (s) => request(s.get("account")));
        if (!who) return none("none");
        const counted = await records("kama-" + who, async (s) => {
          const below = (key) => IDBKeyRange.bound(key, key + "\uffff");
          return [await request(s.count(below("c/"))), await request(s.count(below("p/"))), await request(s.count(below("o/"))), JSON.parse(await request(s.get("me")) || "null")];
        });
        if (!counted || !counted[3]) return none("none");
        const [convs, pages, unsent] = counted;
        return unsent ? attention("unsent", unsent) : works("works", convs, pages);
      } catch (err) {
        return broken("broken", reason(err));
      }
    },

    async worker(signal) {
      if (!navigator.serviceWorker || !window.caches) return none("none");
      const reg = await registered();
      if (!found.probe) { // without the server it has to do with what it has
        const kept = (await caches.keys()).find((name) => name.startsWith("build-"));
        return reg && reg.active && kept ? works("works", (await (await caches.open(kept)).keys()).length) : null;
      }
      try {
        found.kit = await kit(signal);
      } catch (err) {
        return broken("lost", err.message);
      }
      const { build, assets, shells, doctor } = found.kit;
      if (!reg) return attention("missing");
      if (!reg.active) return attention("busy");
      const names = await caches.keys(), all = [...assets, ...Object.values(shells), ...Object.values(doctor)];
      let n = 0;
      if (names.includes("build-" + build)) {
        const cache = await caches.open("build-" + build);
        for (const url of all) if (await cache.match(url, { ignoreVary: true })) n++;
      }
      found.kept = (names.find((name) => name === "build-" + build) || names.find((name) => name.startsWith("build-")) || "").slice(6);
      if (n < all.length) return attention("partial", n, all.length);
      return reg.waiting ? attention("update") : works("works", n);
    },

    async build() {
      if (!found.probe) return null;
      const { build } = found.probe;
      if (build !== at.build) return attention("page", at.build, build);
      if (found.kept && found.kept !== found.kit.build) return attention("worker", build, found.kept, found.kit.build);
      return works("same", build, found.kept || "—");
    },

    async push(signal) {
      if (!window.PushManager || !window.Notification || !isSecureContext) return none("none");
      if (Notification.permission === "denied") return attention("denied");
      if (!found.probe) return null;
      if (!found.probe.signed_in) return none("/signedout");
      const key = await json("/api/v1/push/key", {}, signal);
      if (key.status === 404) return none("off");
      const reg = await registered(), sub = reg && await reg.pushManager.getSubscription();
      const end = Notification.permission !== "granted" ? attention("ask") : sub ? works("works") : attention("quiet");
      return [...end, { test: () => tested(reg) }];
    },

    async language() {
      return works("used", (navigator.languages || [navigator.language]).join(", "));
    },

    async zone() {
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
      if (!timeZone) return attention("none");
      return works("used", timeZone, new Intl.DateTimeFormat(locale, { timeStyle: "short", dateStyle: "medium" }).format(Date.now()));
    },

    // --- the server, for administrators ---

    async database(signal) {
      const began = performance.now();
      const { ok, status, body } = await json("/api/v1/doctor/server", {}, signal);
      if (!ok) throw new Error(String(status));
      found.server = body;
      found.ready = (body.ready || {}).checks || {};
      const kind = (body.health || {}).database || "?";
      if (found.ready.database && !found.ready.database.ok) return broken("broken", kind);
      return works("works", `${kind}, ${span(performance.now() - began)}`);
    },
    async store() { return part("store"); },
    async carrier() { return part("carrier"); },
    async redis() {
      if (!found.server) return null;
      const { redis } = found.ready;
      return !redis ? none("none") : redis.ok ? works("works") : attention("away");
    },
    async disk() {
      if (!found.server) return null;
      const { disk } = found.server.health || {};
      if (!disk) return none("none");
      const told = [room(disk.free), room(disk.all)];
      if (disk.free < 100e6) return broken("short", ...told);
      return disk.free < 1e9 || disk.free < disk.all / 20 ? attention("short", ...told) : works("works", ...told);
    },
    async run() {
      if (!found.server || !found.server.health) return null;
      const { version, up, people, connections } = found.server.health;
      return (found.server.ready || {}).draining ? attention("ending", version) : works("works", version, span(up), people, connections);
    },
  };

  const part = (name) => {
    if (!found.server || !found.ready[name]) return null;
    return found.ready[name].ok ? works("works") : broken("broken");
  };

  // tested has the server send a test, and waits until it shows here.
  const tested = async (reg) => {
    const mine = async () => (reg && reg.getNotifications ? reg.getNotifications({ tag: "test" }) : []);
    for (const n of await mine()) n.close();
    const began = performance.now();
    const { ok, status, body } = await json("/api/v1/push/test", { method: "POST" });
    if (!ok) return broken("refused", (body && body.detail) || status);
    if (!body.answers.length) return attention("nobody");
    const took = body.answers.filter((a) => a.ok).map((a) => a.host);
    if (!took.length) return broken("refused", body.answers.map((a) => `${a.host} ${a.status || ""} ${a.reason || ""}`.trim()).join("; "));
    while (performance.now() - began < limit - 2000) {
      if ((await mine()).length) return works("shown", span(performance.now() - began));
      await pause(100);
    }
    return attention("handed", took.join(", "));
  };

  // --- the page ---

  const rows = [...doc.querySelectorAll("[data-check]")];
  const sum = doc.getElementById("sum"), copy = doc.getElementById("copy");
  const again = doc.getElementById("again"), report = doc.getElementById("report");

  // show writes what a check has found. Nothing found means that an earlier
  // check could not be made; its row says why.
  const show = (row, result) => {
    const name = row.dataset.check, list = result || none("/before");
    const args = list.slice(2), acts = typeof args.at(-1) === "object" ? args.pop() : {};
    const key = list[1].startsWith("/") ? list[1].slice(1) : `${name}.${list[1]}`;
    row.dataset.state = list[0];
    row.querySelector("em").textContent = say("state." + list[0]);
    const p = row.querySelector("p");
    p.textContent = say(key, args);
    for (const [act, run] of Object.entries(acts)) {
      const b = doc.createElement("button");
      b.type = "button";
      b.className = "link";
      b.textContent = say(`${name}.${act}`);
      b.onclick = async () => {
        b.disabled = true;
        await fill(row, run, 3 * limit);
        row.tabIndex = -1;
        row.focus();
        tell(row.querySelector("h3").textContent + ": " + p.textContent);
      };
      p.append(" ", b);
    }
  };

  // fill makes one check. It ends in time, whatever the browser does.
  const fill = async (row, check, most = limit) => {
    const stop = new AbortController();
    try {
      show(row, await within(most, check(stop.signal)));
    } catch (err) {
      show(row, err === "late" ? broken("/late") : broken("/failed", reason(err)));
    }
    stop.abort();
  };

  // Those who don't see the page are told how it goes by its one live region.
  const tell = (text) => { sum.textContent = text; };

  const round = async () => {
    again.disabled = copy.disabled = true;
    found = {};
    report.hidden = true;
    tell(say("sum.busy"));
    for (const row of rows) {
      delete row.dataset.state;
      row.querySelector("em").textContent = say("state.waiting");
      row.querySelector("p").textContent = "";
    }
    for (const row of rows) await fill(row, checks[row.dataset.check]);
    const count = (state) => rows.filter((r) => r.dataset.state === state).length;
    tell(say("sum.done", ["works", "attention", "broken", "none"].map(count)));
    again.disabled = copy.disabled = false;
  };

  // text is the report: what the rows say, and which browser it is. The host's
  // name is left out: reports are often public.
  const text = () => [
    "KamaChat " + at.build, new Date().toISOString(), navigator.userAgent,
    `${innerWidth}×${innerHeight} @${devicePixelRatio} ${matchMedia("(display-mode: standalone)").matches ? "installed" : "tab"}`, "",
    ...rows.map((r) => `${r.dataset.check}: ${r.dataset.state}. ${r.querySelector("p").firstChild.textContent}`), "",
  ].join("\n").replaceAll(location.host, "(host)");

  copy.onclick = async () => {
    report.value = text();
    try {
      await navigator.clipboard.writeText(report.value);
      tell(say("copied"));
    } catch {
      report.hidden = false;
      report.focus();
      report.select();
      tell(say("byhand"));
    }
  };
  again.onclick = round;
  round();
})();
