// aside.js does what is beside the conversations, as window.kama.notes: the
// offers above the list, notifications, and what other programs share. It draws
// into #offers, #notes, #mutes, #mutes-row, #joining, #asks and #joins, which ui/view leaves empty. ui/main_kama.go
// calls it, and gives it tell: what it asks of the program.
//
// Notifications of this browser are one of:
//   "none"    the browser can't, or the address is not secure
//   "denied"  the person has forbidden them in the browser
//   "off"     not switched on
//   "here"    on, as long as a page is open: there is no push service
//   "on"      on, also while everything is closed
(() => {
  "use strict";
  const doc = document, kama = window.kama, sw = navigator.serviceWorker, flag = "notes";
  const can = !!sw && !!window.Notification, hour = 3600000, week = 7 * 24 * hour;
  let tell = null; // ("look", hidden), ("hush", conv, until), ("keep", done), or a sentence by its key and arguments
  const say = (...args) => tell(...args);
  let who = "", subscribed = false, leads = false, busy = false;

  // --- the browser ---

  // The person of this browser who has switched them on.
  const wanted = () => {
    try {
      return localStorage.getItem(flag);
    } catch {
      return null;
    }
  };
  const want = (id) => {
    try {
      if (id) localStorage.setItem(flag, id);
      else localStorage.removeItem(flag);
    } catch {
      // Nothing can be kept: then they can't be switched on.
    }
  };
  const state = () => {
    if (!can) return "none";
    if (Notification.permission === "denied") return "denied";
    if (Notification.permission !== "granted" || !who || wanted() !== who) return "off";
    return subscribed ? "on" : "here";
  };

  const within = (ms, p) => Promise.race([p, new Promise((_, no) => setTimeout(no, ms, new Error("no answer")))]);
  const manager = async () => (await within(15000, sw.ready)).pushManager;

  const ask = async (method, path, body) => {
    const options = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const answer = await within(15000, fetch(`/api/v1/${path}`, { method, cache: "no-store", ...options }));
    if (!answer.ok) throw Object.assign(new Error(`${path}: ${answer.status}`), { refused: true });
    return answer.status === 204 ? null : answer.json();
  };

  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  // subscribe has the server tell this browser. A subscription for another key
  // is one of another server.
  const subscribe = async () => {
    const { key } = await ask("GET", "push/key"), pm = await manager();
    let sub = await pm.getSubscription();
    if (sub && sub.options.applicationServerKey && text(sub.options.applicationServerKey) !== key) {
      await sub.unsubscribe();
      sub = null;
    }
    sub = sub || (await within(20000, pm.subscribe({ userVisibleOnly: true, applicationServerKey: key })));
    await ask("POST", "push/subscriptions", sub);
    subscribed = true;
  };
  const unsubscribe = async (tell) => {
    subscribed = false;
    const sub = await (await manager()).getSubscription();
    if (!sub) return;
    if (tell) await ask("DELETE", "push/subscriptions", { endpoint: sub.endpoint }).catch(() => {});
    await sub.unsubscribe();
  };
  const tried = async (p) => {
    busy = true;
    draw();
    await p.catch((err) => console.info("kamachat: no push:", err));
    busy = false;
    draw();
  };

  const toggle = async () => {
    if (state() !== "off") {
      want("");
      return tried(unsubscribe(true));
    }
    if ((await Notification.requestPermission()) === "granted") {
      want(who);
      return tried(subscribe());
    }
    draw();
  };

  // --- when it is quiet, and how long conversations are muted ---

  let quiet = { until: 0, from: "", to: "", zone: "" }, failed = "", timer = 0;
  // It is kept for a start without the server; kama.forget removes it.
  const memory = "kama-mutes";
  try {
    ({ quiet = quiet } = JSON.parse(localStorage.getItem(memory)) || {});
  } catch { /* nothing is kept here */ }
  const memorise = () => {
    try {
      localStorage.setItem(memory, JSON.stringify({ quiet }));
    } catch { /* nothing is kept here */ }
  };
  const ahead = (until) => until === -1 || until > Date.now();

  // told has the page show that it is quiet, until that ends.
  const told = () => {
    clearTimeout(timer);
    if (quiet.until > Date.now()) timer = setTimeout(told, Math.min(quiet.until - Date.now() + 1000, week));
    memorise();
    draw();
  };
  const put = async (path, body, done) => {
    failed = "";
    try {
      await ask("PUT", path, body);
      done();
    } catch (err) {
      failed = say(err.refused ? "problem.internal" : "problem.offline");
    }
    told();
  };
  const hush = (change) => {
    const q = { ...quiet, ...change };
    q.zone = q.from ? Intl.DateTimeFormat().resolvedOptions().timeZone : "";
    put("me/dnd", q, () => { quiet = q; });
  };
  const hushed = () => {
    const now = new Date().toTimeString().slice(0, 5), { from, to } = quiet;
    return ahead(quiet.until) || (from <= to ? from <= now && now < to : from <= now || now < to);
  };
  const morning = () => {
    const at = new Date();
    if (at.getHours() >= 8) at.setDate(at.getDate() + 1);
    return at.setHours(8, 0, 0, 0);
  };

  // --- drawing ---

  const el = (tag, attrs, ...children) => {
    const n = doc.createElement(tag);
    for (const [k, v] of Object.entries(attrs)) {
      if (typeof v === "function") n.addEventListener(k, v);
      else if (v !== false) n.setAttribute(k, v);
    }
    n.append(...children);
    return n;
  };
  const icon = (name) => {
    const svg = doc.createElementNS("http://www.w3.org/2000/svg", "svg"), path = doc.createElementNS(svg.namespaceURI, "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", say(`icon.${name}`));
    svg.append(path);
    return svg;
  };
  const choice = (label, name, chosen, options, pick) => el("div", { class: "choice" },
    el("span", { class: "soft" }, label),
    el("div", { class: "segments", role: "group", "aria-label": label }, ...options.map(([value, words]) =>
      el("button", { type: "button", "data-key": `${name}-${value}`, "aria-pressed": String(value === chosen), click: () => pick(value) }, words))));
  const trouble = () => (failed ? [el("p", { class: "problem", role: "alert" }, failed)] : []);

  // until is a label, and behind it how long what it names still lasts.
  const until = (label, at) => {
    if (at <= 0 || !ahead(at)) return label;
    const same = new Date(at).toDateString() === new Date().toDateString();
    const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(same ? {} : at - Date.now() < week - 12 * hour ? { weekday: "short" } : { month: "short", day: "numeric" }) };
    return say("quiet.until", label, new Intl.DateTimeFormat(doc.documentElement.lang, form).format(at));
  };
  // nearest is the shortest of the choices that reaches as far as at.
  const nearest = (at, ...choices) => (at === -1 ? -1 : ahead(at) ? choices.find((c) => at - Date.now() <= c) || choices.at(-1) : 0);

  const menu = () => {
    const is = state(), on = is === "on" || is === "here", why = { none: "notes.none", denied: "notes.denied", here: busy ? "" : "notes.here" }[is];
    const out = [
      el("button", { type: "button", class: "menu-item switch", role: "switch", "data-key": "switch", "aria-checked": String(on),
        "aria-describedby": "notes-say", "aria-disabled": String(busy || (!on && is !== "off")), click: () => busy || (!on && is !== "off") || toggle() },
      icon("bell"), say("notes.title"), el("i", { "aria-hidden": "true" })),
      el("p", { id: "notes-say", class: "soft say" }, why ? say(why) : ""),
    ];
    if (!on) return out;
    const till = morning(), field = (key, value, words) => el("input", { type: "time", class: "field", "data-key": key, "aria-label": words, value, change: hours });
    const hours = () => {
      const [from, to] = ["quiet-from", "quiet-to"].map((key) => doc.querySelector(`[data-key=${key}]`).value);
      if (!from === !to) hush({ from, to });
    };
    return [...out,
      choice(until(say("quiet.title"), quiet.until), "quiet", quiet.until === till ? till : nearest(quiet.until, hour),
        [[0, say("off")], [hour, say("mute.hour")], [till, say("quiet.morning")]], (v) => hush({ until: v === hour ? Date.now() + v : v })),
      el("div", { class: "choice", role: "group", "aria-label": say("quiet.daily") }, el("span", { class: "soft" }, say("quiet.daily")),
        el("div", { class: "hours" }, field("quiet-from", quiet.from, say("quiet.from")), "–", field("quiet-to", quiet.to, say("quiet.to")))),
      ...trouble()];
  };

  const muting = (slot) => {
    const { conv } = slot.dataset, at = Number(slot.dataset.until);
    return [choice(until(say("mute.title"), at), "mute", nearest(at, hour, 8 * hour, week),
      [[0, say("off")], [hour, say("mute.hour")], [8 * hour, say("mute.hours")], [week, say("mute.week")], [-1, say("mute.always")]],
      (v) => tell("hush", conv, v > 0 ? Date.now() + v : v))];
  };

  // joining is who may come into a group that is being made.
  const joining = (slot) => {
    const at = slot.querySelector("select")?.value;
    return [el("select", { class: "field", "aria-label": say("group.joining") }, ...["invite", "approval", "direct"].map((j) =>
      el("option", { value: j, ...(j === at ? { selected: "" } : {}) }, say(`group.joining.${j}`)))), el("a", { class: "link", href: "/new" }, say("new.more"))];
  };

  const offers = () => {
    const offer = (key, words, act, click) => el("div", { class: "note offer" }, el("span", {}, words),
      el("button", { type: "button", class: "link", "data-key": key, click }, act));
    const drop = () => {
      share = null;
      kama.unshare();
      draw();
    };
    const out = [];
    if (share) out.push(offer("share", say("share.choose"), say("share.cancel"), drop));
    const waits = (words, href) => out.push(el("div", { class: "note offer" }, el("span", {}, words), el("a", { class: "link", href }, say("asks.see"))));
    if (asks.waiting > 0) waits(say("asks.waiting", String(asks.waiting)), "/contacts");
    for (const g of asks.groups.slice(0, 3)) waits(say("asks.group", g.name, String(g.waiting)), `/g/${g.group}/requests`);
    if (kama.waiting) out.push(offer("update", say("update.ready"), say("update.now"), update));
    return out;
  };
  // What is typed is kept first.
  const update = async () => {
    await within(5000, new Promise((done) => tell("keep", done))).catch(() => {});
    kama.update();
  };

  // --- who waits for an answer ---

  // Who wants to be a contact, and who to come into which groups.
  let asks = { waiting: 0, groups: [] }, asksAt = 0, asking = 0, ringing = 0;
  const wanting = async () => {
    if (!who || doc.hidden || Date.now() - asksAt < 60000) return;
    asksAt = Date.now();
    const mine = ++asking, now = await ask("GET", "requests/waiting").catch(() => asks);
    if (mine !== asking || JSON.stringify(now) === JSON.stringify(asks)) return;
    asks = now;
    draw();
  };
  const bubble = (n) => (n > 0 ? [el("span", { class: "bd" }, String(n))] : []);
  const joins = (slot) => bubble((asks.groups.find((g) => g.group === slot.dataset.conv) || {}).waiting);

  const slots = { offers, notes: menu, mutes: muting, "mutes-row": muting, joining, asks: () => bubble(asks.waiting), joins };
  let drawn = 0, asked = 0;
  // draw fills the places that are there: all of them anew. The focus stays.
  const draw = () => {
    drawn++;
    look();
  };
  const look = () => {
    asked = 0;
    give();
    for (const [id, of] of Object.entries(slots)) {
      const slot = doc.getElementById(id), now = slot && `${drawn} ${slot.dataset.conv} ${slot.dataset.until}`;
      if (!slot || slot.drawn === now) continue;
      slot.drawn = now;
      const at = slot.contains(doc.activeElement) && doc.activeElement.dataset.key;
      slot.replaceChildren(...of(slot));
      const again = at && slot.querySelector(`[data-key="${at}"]`);
      if (again) again.focus();
    }
  };

  // --- what other programs share ---

  let share = null; // { text, files }
  // give puts it into the conversation that is open: text below what is written
  // there, files above.
  const give = () => {
    const area = doc.getElementById("text");
    if (!share || !area || !location.pathname.startsWith("/c/") || !performance.getEntriesByName("goapp-interactive").length) return;
    const { text, files } = share;
    share = null;
    drawn++;
    setTimeout(() => { // the composer has its draft by then
      kama.unshare();
      if (files.length && kama.attach) kama.attach.offer(files);
      if (!text) return;
      area.value = area.value.trim() ? `${area.value}\n${text}` : text;
      area.dispatchEvent(new Event("input", { bubbles: true }));
      area.focus();
    });
  };
  const taken = async () => {
    const it = await kama.shared();
    if (!it) return;
    const lines = [it.title, it.text, it.url].map((s) => s.trim());
    const other = lines.filter((s, i) => s && !lines.some((t, j) => j !== i && t.includes(s) && (t !== s || j < i)));
    if (!other.length && !it.files.length) return;
    share = { text: other.join("\n"), files: it.files };
    draw();
  };

  // --- what comes while nobody looks ---

  const seqs = {}, unread = {};
  let count = -1, counting = 0;
  const show = (push) => sw.ready.then((reg) => reg.active.postMessage({ push }));

  kama.notes = {
    begin(program) {
      tell = program;
      const seen = () => tell("look", doc.hidden) || wanting();
      doc.addEventListener("visibilitychange", seen);
      seen();
      kama.onUpdate = draw;
      // One page speaks for all of this browser.
      if (navigator.locks) navigator.locks.request("kama-notes", () => ((leads = true), new Promise(() => {}))).catch(() => {});
      else leads = true;
      new MutationObserver(() => (asked = asked || requestAnimationFrame(look)))
        .observe(doc.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-conv", "data-until"] });
      if (quiet.until > 0) told();
      draw();
      taken();
    },
    // welcome says who is signed in, whenever the server has said so.
    async welcome(id) {
      who = id;
      kama.check();
      if (state() === "here") tried(subscribe());
      else if (can && wanted() && wanted() !== who) tried(unsubscribe(false).finally(() => want(""))); // it was another's
      try {
        quiet = await ask("GET", "me/dnd");
        failed = "";
        told();
      } catch (err) {
        console.info("kamachat: quiet times are not known:", err); // the next welcome asks again
      }
      wanting();
    },
    // asked says that who waits for an answer is to be asked for anew.
    asked() {
      ringing = ringing || setTimeout(() => {
        ringing = asksAt = 0;
        wanting();
      }, 200);
    },
    // heard says how a conversation stands: body where there is something to tell.
    heard(conv, title, body, seq, n) {
      if (unread[conv] && !n) kama.seen(conv);
      unread[conv] = n;
      if (seq <= (seqs[conv] || 0)) return;
      seqs[conv] = seq;
      if (who && doc.hidden && leads && body && state() === "here" && !hushed()) show({ conv, title, body, seq });
    },
    // unread says that so many messages are, in all, or else whether anything is marked so.
    unread(all, marked) {
      const n = all || (marked ? undefined : 0);
      if (n === count) return;
      count = n;
      counting = counting || setTimeout(() => {
        counting = 0;
        kama.badge(count);
      }, 500);
    },
  };
})();
