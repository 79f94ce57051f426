// attach.js sends files, as window.kama.attach: it takes them from the input,
// from what is pasted, dropped or shared, shows them above the composer in
// #attached, uploads them one after the other, and has the program post each. It
// also shows pictures large. Go never touches a file's bytes.
//
// What is chosen is kept in IndexedDB, in a database of its own beside the
// replica's, until the program has the post in its outbox: a reload, a crash or
// a missing connection lose nothing. A file is posted under the ref that it got
// when it was chosen, so that however often it is sent it is stored once.
(() => {
  "use strict";
  const doc = document, kama = window.kama, locks = navigator.locks, table = "records", prefix = "kama-files-";
  const most = 20; // in one conversation
  const roomFor = Math.max(kama.maxUpload, 200e6); // bytes that wait in all
  const stall = 60000; // ms without a byte until an upload is tried again
  const tab = (window.kamaStore || {}).tab || "";
  const gone = new Set(); // refs that were removed
  const items = new Map(); // by ref; each { ref, conv, tab, name, type, size, width, height, blob, sent, file, … }
  let tell = null, account = "", db = null, unkept = false, slot = null, conv = "", busy = null, timer = 0, pause = 0, trouble = "";
  const say = (...args) => tell(...args);

  // --- what is kept ---

  const asked = (r) => new Promise((ok, no) => { r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error); });
  // base is the database, which is made when there is something to keep.
  const base = (make) => db = db || new Promise((ok, no) => {
    if (!account) throw new Error("nobody is signed in");
    const r = indexedDB.open(prefix + account, 1);
    r.onupgradeneeded = () => make ? r.result.createObjectStore(table, { keyPath: "ref" }) : r.transaction.abort();
    r.onsuccess = () => {
      r.result.onversionchange = () => { r.result.close(); db = null; }; // it is wiped
      ok(r.result);
    };
    r.onerror = () => no(r.error);
  }).catch((err) => { db = null; throw err; });
  const records = async (mode, make) => {
    const d = await base(make).catch((err) => make ? base(make) : Promise.reject(err)); // somebody else may have looked in vain
    return d.transaction(table, mode, { durability: "strict" }).objectStore(table);
  };

  // keep writes an item. The copy that the browser makes of its bytes stays
  // readable whatever becomes of the file on the disk.
  const keep = async (it) => {
    const { ref, conv, name, type, size, width, height, blob, sent, file } = it;
    try {
      const s = await records("readwrite", true);
      s.put({ ref, conv, tab, name, type, size, width, height, blob, sent, file });
      const kept = await asked(s.get(ref));
      await new Promise((ok, no) => { s.transaction.oncomplete = ok; s.transaction.onabort = () => no(s.transaction.error); });
      if (!items.has(ref)) return forget(ref);
      it.blob = kept.blob;
      it.kept = true;
    } catch (err) {
      console.info("kamachat: a file is not kept:", err);
      unkept = true;
    }
    draw();
  };
  const forget = (ref) => records("readwrite").then((s) => asked(s.delete(ref))).catch(() => {});

  // adopt takes over what pages have left that are gone.
  const adopt = async () => {
    const body = async () => {
      const held = locks ? new Set((await locks.query()).held.map((l) => l.name)) : new Set();
      const s = await records("readwrite");
      for (const r of await asked(s.getAll())) {
        if (items.has(r.ref) || gone.has(r.ref) || (r.tab !== tab && held.has(`kama-${r.tab}`))) continue;
        s.put({ ...r, tab });
        items.set(r.ref, { ...r, kept: true, state: r.sent ? "waits" : "chosen" });
      }
    };
    await (locks ? locks.request("kama-files", body) : body());
    draw();
    pump();
  };

  // --- choosing ---

  const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const newRef = () => { // as ui/link/ref.go
    let n = BigInt(Date.now()), out = "";
    for (const b of crypto.getRandomValues(new Uint8Array(9))) n = (n << 8n) | BigInt(b);
    for (let i = 0; i < 24; i++, n >>= 5n) out = crockford[Number(n & 31n)] + out;
    return out;
  };
  const bytes = (n) => {
    for (const unit of ["B", "kB", "MB"]) {
      if (n < 999.5) return `${n < 9.95 && unit !== "B" ? n.toFixed(1) : Math.round(n)} ${unit}`;
      n /= 1000;
    }
    return `${n.toFixed(1)} GB`;
  };

  // measure finds out how much room a picture or film will take.
  const measure = (it) => new Promise((done) => {
    const [kind] = it.type.split("/"), el = doc.createElement(kind === "image" ? "img" : "video");
    if (kind !== "image" && kind !== "video") return done();
    const url = URL.createObjectURL(it.blob), end = () => {
      it.width = el.naturalWidth || el.videoWidth || 0;
      it.height = el.naturalHeight || el.videoHeight || 0;
      URL.revokeObjectURL(url);
      done();
    };
    el.onload = el.onloadedmetadata = el.onerror = end;
    setTimeout(end, 5000);
    el.src = url;
  });

  const add = (to, files) => {
    trouble = "";
    for (const f of files) {
      const all = [...items.values()], sum = all.reduce((n, it) => n + it.size, f.size);
      if (f.size > kama.maxUpload) trouble = say("attach.large", f.name, bytes(kama.maxUpload));
      else if (all.filter((it) => it.conv === to).length >= most || (sum > roomFor && all.length)) trouble = say("attach.many");
      else {
        const it = { ref: newRef(), conv: to, name: f.name, type: f.type, size: f.size, width: 0, height: 0, blob: f, sent: false, state: "chosen" };
        items.set(it.ref, it);
        it.ready = measure(it).then(() => keep(it));
      }
    }
    draw();
    hear(`${say("attach.list")}: ${files.map((f) => f.name).join(", ")}`);
    const area = doc.getElementById("text");
    if (area && matchMedia("(pointer: fine)").matches) area.focus();
  };
  // given takes what a drop or paste has; a folder is none of it.
  const given = (data) => {
    const entries = [...data.items].filter((i) => i.kind === "file").map((i) => i.webkitGetAsEntry && i.webkitGetAsEntry());
    const folder = entries.find((e) => e && e.isDirectory), files = [...data.files].filter((_, i) => !(entries[i] && entries[i].isDirectory));
    add(conv, files);
    if (folder) {
      trouble = say("attach.folder", folder.name);
      draw();
    }
  };
  const remove = (it) => {
    items.delete(it.ref);
    gone.add(it.ref);
    forget(it.ref);
    if (busy && busy.it === it) busy.stop();
    if (it.url) URL.revokeObjectURL(it.url);
    draw();
  };

  // --- sending ---

  const waiting = () => [...items.values()].find((it) => it.state === "waits");
  const later = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(pump, ms);
  };
  // pump sends the next file, once the one before it is gone.
  const pump = async () => {
    const it = account && tell && !busy && waiting();
    if (!it) return;
    busy = { it, stop: () => {} };
    await it.ready;
    if (items.has(it.ref)) await (it.file || upload(it));
    if (items.has(it.ref) && it.file) await post(it);
    busy = null;
    draw();
    if (it.state !== "waits" || gone.has(it.ref)) pump();
  };

  const upload = (it) => new Promise((done) => {
    const x = new XMLHttpRequest();
    let heard = Date.now();
    const watch = setInterval(() => Date.now() - heard > stall && x.abort(), 5000);
    const end = (state, why) => {
      clearInterval(watch);
      it.state = state;
      it.why = why || "";
      if (why) hear(`${it.name}: ${why}`);
      done();
    };
    const again = (ms) => { // when the connection is back, or by itself
      pause = ms || Math.min((pause || 1500) * 2, 60000);
      end("waits");
      later(pause);
    };
    busy.stop = () => x.abort();
    it.state = "sending";
    it.done = 0;
    draw();
    hear(say("attach.sending", it.name));
    x.open("POST", `/api/v1/files?width=${it.width}&height=${it.height}`);
    x.setRequestHeader("Content-Type", it.type || "application/octet-stream");
    const name = encodeURIComponent(it.name.toWellFormed ? it.name.toWellFormed() : it.name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
    x.setRequestHeader("Content-Disposition", `attachment; filename*=UTF-8''${name}`);
    x.upload.onprogress = (e) => {
      heard = Date.now();
      it.done = e.loaded / (e.total || 1);
      step(it);
    };
    x.onerror = x.onabort = () => again();
    x.onload = () => {
      let a = {};
      try {
        a = JSON.parse(x.responseText);
      } catch { /* a proxy's page */ }
      if (x.status === 200 && a.file) {
        pause = 0;
        it.file = { ...a.file, size: String(a.file.size) };
        return keep(it).then(done);
      }
      const wait = a.retry_after || 0;
      if (x.status === 401 || (wait && wait < 300000) || [502, 503, 504].includes(x.status)) return again(Math.max(wait, 3000));
      const said = x.status === 413 ? "said.the file is too large" : `said.${a.detail}`, words = say(said); // a proxy may say it, too
      end("failed", words !== said ? words : say(`problem.${a.code || "internal"}`));
    };
    x.send(it.blob);
  });

  // post gives the program what was uploaded; it is forgotten here once the program has it.
  const post = (it) => new Promise((done) => {
    tell("post", it.conv, it.ref, JSON.stringify(it.file), (taken) => {
      if (taken) {
        hear(say("attach.sent", it.name));
        remove(it);
      } else {
        it.state = "failed";
        it.why = say("problem.busy");
      }
      done();
    });
  });

  // --- drawing ---

  const el = (tag, attrs, ...children) => {
    const n = doc.createElement(tag);
    for (const [k, v] of Object.entries(attrs)) {
      if (typeof v === "function") n.addEventListener(k, v);
      else n.setAttribute(k, v);
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
  const button = (name, label, click) => el("button", { type: "button", class: "icon", title: label, "aria-label": label, click }, icon(name));

  const live = el("p", { class: "hush", "aria-live": "polite" });
  const hear = (words) => { live.textContent = words; };

  const status = (it) => it.state === "sending" ? `${Math.round(100 * (it.done || 0))} %` : it.state === "waits" ? say(pause || !account ? "attach.waits" : "attach.queued") : it.state === "failed" ? it.why : bytes(it.size);
  const step = (it) => {
    const li = slot && slot.querySelector(`[data-ref="${it.ref}"]`);
    if (!li || !li.querySelector("progress")) return;
    li.querySelector("progress").value = it.done;
    li.querySelector("small").textContent = status(it);
  };
  const chip = (it) => {
    if (it.type.startsWith("image/") && !it.thumb) { // it stays, so that it does not flicker
      it.url = URL.createObjectURL(it.blob);
      it.thumb = el("img", { src: it.url, alt: "", width: 40, height: 40 });
    }
    const going = it.state === "sending", ext = (/\.([^.]{1,4})$/.exec(it.name) || ["", "···"])[1].toUpperCase();
    const li = el("li", { "data-ref": it.ref, class: it.state },
      it.thumb || el("span", { class: "t", "aria-hidden": "true" }, ext),
      el("span", { class: "names" }, el("b", {}, it.name), el("small", {}, status(it))));
    if (going) li.append(el("progress", { max: 1, value: it.done || 0, "aria-label": say("attach.sending", it.name) }));
    if (it.state === "failed") li.append(button("reload", say("failed.retry"), () => { it.state = "waits"; draw(); pump(); }));
    li.append(button("close", say(going ? "attach.stop" : "new.remove", it.name), () => remove(it)));
    return li;
  };
  const draw = () => {
    if (!slot || !tell) return;
    const at = slot.contains(doc.activeElement) && doc.activeElement.closest("li"), next = at && at.nextElementSibling;
    const mine = [...items.values()].filter((it) => it.conv === conv), notes = [];
    if (trouble) notes.push(el("p", { class: "problem", role: "alert" }, trouble));
    if (unkept && mine.some((it) => !it.kept)) notes.push(el("p", { class: "problem" }, say("attach.unkept")));
    slot.replaceChildren(...(mine.length ? [el("ul", { "aria-label": say("attach.list") }, ...mine.map(chip))] : []), ...notes);
    if (!at) return; // else the focus stays as near as can be
    const to = [at, next].map((li) => li && slot.querySelector(`[data-ref="${li.dataset.ref}"] button:last-child`)).find(Boolean);
    (to || slot.querySelector("li:last-child button:last-child") || doc.getElementById("text")).focus();
  };

  // --- pictures, large ---

  const view = (a) => {
    const name = a.querySelector("img").alt, close = () => box.close();
    const save = el("a", { class: "icon", href: a.href, download: name, title: say("view.save"), "aria-label": say("view.save") }, icon("down"));
    const box = el("dialog", { class: "viewer", "aria-label": name, close: () => box.remove(), click: (e) => e.target.closest("a,button,img") || close() },
      el("header", {}, el("b", {}, name), save, button("close", say("close"), close)), el("img", { src: a.href, alt: name }));
    doc.body.append(box);
    box.showModal();
  };

  // --- what comes from the page ---

  const listen = () => {
    const drop = el("div", { class: "drop", hidden: "" }, el("p", {}, say("attach.drop")));
    doc.body.append(live, drop);
    const brings = (e) => e.dataTransfer && [...e.dataTransfer.types].includes("Files") && !doc.querySelector("dialog[open]");
    const on = (name, f) => doc.addEventListener(name, f);
    on("change", ({ target: t }) => {
      if (t.id !== "files" || !conv) return;
      add(conv, [...t.files]);
      t.value = "";
    });
    on("paste", (e) => {
      const d = e.clipboardData;
      if (!conv || !d.files.length || d.types.includes("text/plain") || doc.querySelector("dialog[open]")) return;
      e.preventDefault();
      given(d);
    });
    on("dragover", (e) => {
      if (!brings(e)) return;
      e.preventDefault();
      drop.hidden = !conv;
      e.dataTransfer.dropEffect = conv ? "copy" : "none";
    });
    on("dragleave", (e) => { if (!e.relatedTarget) drop.hidden = true; });
    on("drop", (e) => {
      drop.hidden = true;
      if (!brings(e)) return;
      e.preventDefault();
      if (conv) given(e.dataTransfer);
    });
    doc.addEventListener("click", (e) => {
      const a = !e.ctrlKey && !e.metaKey && !e.shiftKey && e.target.closest && e.target.closest("a.pic");
      if (!a) return;
      e.preventDefault();
      e.stopPropagation();
      view(a);
    }, true);
    window.addEventListener("online", pump);
    on("visibilitychange", () => doc.hidden || (account && adopt().catch(() => {})));
  };

  kama.attach = {
    // begin takes what the program says: as aside.js's, and
    // ("post", conv, ref, file as JSON, done(taken)).
    begin(program) {
      tell = program;
      listen();
      const early = doc.getElementById("files"), form = early && early.form;
      if (early && early.files.length) add(form.getAttribute("action").replace("/c/", ""), [...early.files]);
    },
    // use says who is signed in, whenever it is known anew: then the connection is there, too.
    use(id) {
      if (id !== account) {
        if (account) items.clear();
        account = id;
        db = null;
        unkept = false;
        for (const it of items.values()) if (!it.kept) keep(it);
      }
      pause = 0;
      adopt().catch(() => pump());
    },
    // show says where the files of which conversation go.
    show(id, place) {
      if (conv !== id) trouble = "";
      conv = id;
      slot = place;
      draw();
    },
    // offer takes files for the conversation that is shown.
    offer(files) { if (conv) add(conv, files); },
    // send sends what was chosen for a conversation, and reports whether there was any.
    send(id) {
      const mine = [...items.values()].filter((it) => it.conv === id && it.state === "chosen");
      for (const it of mine) {
        Object.assign(it, { state: "waits", sent: true });
        it.ready = Promise.resolve(it.ready).then(() => keep(it));
      }
      trouble = "";
      draw();
      pump();
      return mine.length > 0;
    },
    // waits is how many files are not sent yet, of this page.
    waits: () => items.size,
    // left is how many are kept, of all pages.
    left: async () => records("readonly").then((s) => asked(s.count()), () => 0),
  };
})();
