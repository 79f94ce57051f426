// idb.js keeps what ui/local says in IndexedDB, one database for each account.
// Values are JSON texts. Which account this browser is of is in a database of
// its own: localStorage would be written too late for a browser that crashes.
(() => {
  "use strict";
  const table = "records", names = "kama", prefix = "kama-", who = "account";
  const tab = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");
  const locks = navigator.locks; // none where the address is not secure

  const pause = (ms) => new Promise((ok) => setTimeout(ok, ms));
  const asked = (r) => new Promise((ok, no) => { r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error); });
  const done = (tx) => new Promise((ok, no) => {
    tx.oncomplete = () => ok();
    tx.onabort = () => no(tx.error || new Error("the transaction was aborted"));
  });
  const below = (key, to) => IDBKeyRange.bound(key, key + (to === undefined ? "\uffff" : to));
  const words = (key) => key.startsWith("o/") || key.startsWith("d/"); // of the person

  // As long as this page lives it holds a lock, by which others know that it
  // sends its posts itself.
  const alive = locks
    ? new Promise((ok) => { locks.request(prefix + tab, () => { ok(); return new Promise(() => {}); }).catch(ok); })
    : Promise.resolve();

  // once opens a database. It comes to null where there is none and none is to
  // be made: what was wiped must not come back because somebody looked.
  const once = (name, make) => new Promise((ok, no) => {
    const r = indexedDB.open(name, 1);
    let none = false;
    r.onupgradeneeded = () => {
      if (make) r.result.createObjectStore(table);
      else {
        none = true;
        r.transaction.abort();
      }
    };
    r.onsuccess = () => ok(r.result);
    r.onerror = (e) => {
      if (!none) return no(r.error);
      e.preventDefault();
      ok(null);
    };
  });
  // Now and then a browser fails to open one, and a moment later it does.
  const open = async (name, make) => {
    for (let n = 1; ; n++) {
      try {
        return await once(name, make);
      } catch (err) {
        if (n === 3 || !(err instanceof DOMException)) throw err;
        await pause(n * 100);
      }
    }
  };

  const remembered = async () => {
    const d = await open(names, false);
    if (!d) return "";
    try {
      return await asked(d.transaction(table).objectStore(table).get(who)) || "";
    } finally {
      d.close();
    }
  };
  const remember = async (name) => {
    const d = await open(names, true);
    const tx = d.transaction(table, "readwrite", { durability: "strict" });
    tx.objectStore(table).put(name, who);
    await done(tx).finally(() => d.close());
  };

  // Who the browser is of changes in one page at a time.
  const turn = (f) => locks ? locks.request(names, f) : f();
  let account = "", sure = false; // sure: it was read, or set
  const known = async () => {
    if (sure) return;
    const name = await remembered();
    if (!sure) account = name;
    sure = true;
  };

  let db = null, mine = null; // a promise, and what it came to
  // connect is for who has the turn.
  const connect = async () => {
    if (!account) throw new Error("nobody is signed in");
    if (!db) {
      if (await remembered() !== account) throw new Error("somebody else is signed in");
      if (!db) {
        db = open(prefix + account, true).then((d) => {
          const lost = () => { if (mine === d) db = mine = null; };
          d.onclose = lost;
          d.onversionchange = () => { // another page wipes it
            d.close();
            lost();
          };
          return mine = d;
        }, (err) => { db = null; throw err; });
      }
    }
    return db;
  };
  const base = async () => {
    await known();
    return db || turn(connect);
  };
  // records begins a transaction, on records of one account where that is said.
  const records = async (mode, { whose, via = base, ...options } = {}) => {
    for (let n = 0; ; n++) {
      const d = await via();
      if (whose && whose !== account) throw new Error("this is of somebody else");
      try {
        const tx = d.transaction(table, mode, options);
        return [tx, tx.objectStore(table)];
      } catch (err) {
        if (n || err.name !== "InvalidStateError") throw err;
        if (mine === d) db = mine = null; // it was closed under us
      }
    }
  };

  // own returns the posts that this page sends, with those whose page is gone.
  // It is all of them: who asked before may not have waited for the answer.
  const own = async (whose, also) => {
    await alive;
    const body = async () => {
      const held = locks ? new Set((await locks.query()).held.map((l) => l.name)) : new Set();
      const [tx, s] = await records("readwrite", { whose });
      const me = account;
      const end = done(tx);
      const extra = also ? also(s) : null;
      const posts = [];
      for (const text of await asked(s.getAll(below("o/")))) {
        const p = JSON.parse(text);
        if (p.tab !== tab) {
          if (held.has(prefix + p.tab)) continue;
          p.tab = tab;
          s.put(JSON.stringify(p), "o/" + p.u.ref);
        }
        posts.push(p.u);
      }
      const more = await extra;
      await end;
      return [JSON.stringify(posts), more, me];
    };
    return locks ? locks.request(prefix + "adopt", body) : body();
  };

  const load = async () => {
    const [posts, [me, lines, people, keys, texts], name] = await own("", (s) => Promise.all([
      asked(s.get("me")), asked(s.getAll(below("c/"))), asked(s.getAll(below("u/"))),
      asked(s.getAllKeys(below("d/"))), asked(s.getAll(below("d/"))),
    ]));
    const drafts = keys.map((key, i) => `${JSON.stringify(key.slice(2))}:${texts[i]}`);
    return `${me ? me.slice(0, -1) : '{"v":0'},"who":"${name}","lines":[${lines}],"people":[${people}],"drafts":{${drafts}},"unsent":${posts}}`;
  };

  // It is read while the program is still on its way.
  let first = load();
  first.catch(() => {});

  // joined is what two copies of an entry know together, as chat.Merge says.
  const joined = (a, b) => {
    const f = a && a.c.fate, g = b.c.fate;
    if (!f || g && g.recalled) return b;
    if (!g || f.recalled) return a;
    const reacts = { ...f.reacts };
    for (const [emoji, people] of Object.entries(g.reacts || {})) {
      reacts[emoji] = { ...reacts[emoji] };
      for (const [u, n] of Object.entries(people)) if (Math.abs(n) > Math.abs(reacts[emoji][u] || 0)) reacts[emoji][u] = n;
    }
    const c = (f.edited || 0) > (g.edited || 0) ? a.c : b.c;
    return { ...b, c: { ...c, fate: { ...c.fate, reacts, to: Math.max(f.to, g.to) } } };
  };
  const merged = (old, fresh) => {
    if (!old) return fresh;
    const by = new Map();
    for (const m of JSON.parse(old)) by.set(m.seq, m);
    for (const m of JSON.parse(fresh)) by.set(m.seq, joined(by.get(m.seq), m));
    return JSON.stringify([...by.values()].sort((a, b) => a.seq - b.seq));
  };

  // Pages that make room say so: others believe that what they wrote is there.
  let gone = [];
  const others = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(names);
  if (others) others.onmessage = (e) => { if (e.data.account === account) gone.push(...e.data.gone); };

  // expire leaves of messages that were stored before a time, and of files before another, what
  // the server has left of them, as chat.Expired says. What was done is noted in "x".
  const expire = async (whose, messages = 0, files = 0) => {
    const mark = JSON.stringify([messages, files]);
    const over = (m) => {
      const text = m.c.k === "text", edit = m.c.k === "edit", before = m.at < messages;
      if (before && edit && m.c.text) m.c = { k: "edit", of: m.c.of };
      else if (before && text || m.c.k === "file" && (before || m.at < files)) m.c = { k: "gone", fate: { recalled: m.seq, to: m.seq, expired: true } };
      else return false;
      return true;
    };
    const [, seen] = await records("readonly", { whose });
    if (await asked(seen.get("x")) === mark) return;
    for (let from = "p/", last = false; !last;) {
      const [tx, s] = await records("readwrite", { whose });
      const end = done(tx);
      const part = IDBKeyRange.bound(from, "p0", true, true);
      const [keys, texts] = await Promise.all([asked(s.getAllKeys(part, 100)), asked(s.getAll(part, 100))]);
      texts.forEach((text, i) => {
        const first = /"at":(\d+)/.exec(text);
        if (!first || first[1] >= messages && first[1] >= files) return; // times rise
        const es = JSON.parse(text);
        if (es.filter(over).length) s.put(JSON.stringify(es), keys[i]);
      });
      last = keys.length < 100;
      if (last) s.put(mark, "x");
      from = keys[keys.length - 1];
      await end;
    }
  };

  // drop empties a database and deletes it. Where a page that does not answer
  // keeps it open, the empty one goes when that page does: nobody waits for it.
  const drop = async (name) => {
    const empty = async () => {
      const d = await open(name, false);
      if (!d) return;
      try {
        const tx = d.transaction(table, "readwrite");
        tx.objectStore(table).clear();
        await done(tx);
      } finally {
        d.close();
      }
    };
    await Promise.race([empty().catch(() => {}), pause(5000)]);
    await Promise.race([pause(5000), new Promise((ok) => {
      const r = indexedDB.deleteDatabase(name);
      r.onsuccess = r.onerror = ok;
      r.onblocked = () => setTimeout(ok, 500); // pages that answer are done by then
    })]);
  };

  // wipe forgets what is here of this account and, where the browser is of
  // nobody else, of all others; not of the one that is spared.
  const wipe = async (spared) => {
    await known().catch(() => {});
    const own = spared || ["", account].includes(await remembered().catch(() => account));
    const all = new Set(account ? [prefix + account, prefix + "files-" + account] : []);
    if (own && !spared) all.add(names);
    try {
      if (db) (await db).close();
    } catch { /* it was never open */ }
    db = mine = first = null;
    account = "";
    sure = true;
    if (typeof indexedDB === "undefined") return own;
    if (own && indexedDB.databases) {
      for (const d of await indexedDB.databases()) if (d.name.startsWith(prefix)) all.add(d.name);
    }
    all.delete(prefix + spared);
    all.delete(prefix + "files-" + spared);
    await Promise.all([...all].map(drop));
    return own;
  };

  window.kamaStore = {
    tab,
    // use says who is signed in; what another one has left is wiped. "new" says
    // that this browser was not known to be of this one.
    use: (id) => turn(async () => {
      await known().catch(() => {});
      const same = id === account && id === await remembered();
      if (!same) {
        await wipe(id);
        account = id;
        await remember(id);
      }
      await connect();
      return same ? "" : "new";
    }),
    // leave is for a session that has ended elsewhere: all is wiped but posts
    // and files that wait, of any page. "all" says that nothing is left.
    leave: () => turn(async () => {
      await known().catch(() => {});
      if (account && await remembered().catch(() => "") === account) {
        const files = window.kama && kama.attach ? await kama.attach.left() : 0;
        const [tx, s] = await records("readwrite", { via: connect });
        const end = done(tx);
        const waits = await asked(s.count(below("o/"))) || files;
        if (waits) for (const kind of ["c/", "p/", "u/"]) s.delete(below(kind));
        await end;
        if (waits) return "";
      }
      return await wipe() ? "all" : "";
    }),
    begin() {
      const p = first ? first.catch(load) : load();
      first = null;
      return p;
    },
    async adopt(whose) { return (await own(whose, null))[0]; },
    // pages returns the last n pages of a conversation up to a key's end.
    async pages(conv, end, n) {
      const [, s] = await records("readonly");
      const r = s.openCursor(below(`p/${conv}/`, end || undefined), "prev");
      return new Promise((ok, no) => {
        const out = [];
        r.onerror = () => no(r.error);
        r.onsuccess = () => {
          const c = r.result;
          if (c) out.unshift(c.value);
          if (c && out.length < n) c.continue();
          else ok(`[${out}]`);
        };
      });
    },
    // search returns pages in which all terms occur, those first whose last
    // entry is newest. It leaves the page free to draw in between.
    async search(terms, most) {
      const want = JSON.parse(terms);
      const found = [];
      let end = "p0"; // behind all of p/
      for (;;) {
        const [tx, s] = await records("readonly");
        const part = await new Promise((ok, no) => {
          const out = [];
          const r = s.openCursor(IDBKeyRange.bound("p/", end, false, true), "prev");
          r.onerror = () => no(r.error);
          r.onsuccess = () => {
            const c = r.result;
            if (c) out.push([c.key, c.value]);
            if (c && out.length < 100) c.continue();
            else ok(out);
          };
        });
        tx.abort();
        for (const [, text] of part) {
          const low = text.toLowerCase().replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));
          if (!want.every((w) => low.includes(w))) continue;
          const at = /"at":(\d+)/.exec(text.slice(text.lastIndexOf('"at":')));
          found.push([at ? Number(at[1]) : 0, text]);
        }
        if (part.length < 100) {
          found.sort((a, b) => b[0] - a[0]);
          return `[${found.slice(0, most).map(([, text]) => text)}]`;
        }
        end = part[part.length - 1][0];
        await pause(0);
      }
    },
    async keys() {
      const [, s] = await records("readonly");
      return JSON.stringify(await asked(s.getAllKeys(below("p/"))));
    },
    // write writes a batch, as local.Store says, and returns the keys of pages
    // that others have removed.
    async write(text) {
      const batch = JSON.parse(text);
      let put = batch.put || [], del = batch.del || [];
      const strict = put.some((r) => r.k.startsWith("o/"));
      const [tx, s] = await records("readwrite", { whose: batch.who, durability: strict ? "strict" : "relaxed" });
      const end = done(tx);
      let why = null;
      const all = (act) => {
        try { act(); } catch (err) { // nothing of it, then
          why = why || err;
          tx.abort();
        }
      };
      const go = () => {
        for (const key of del) s.delete(key);
        for (const { k, v, m } of put) {
          if (!m) s.put(v, k);
          else s.get(k).onsuccess = (e) => all(() => s.put(merged(e.target.result, v), k));
        }
      };
      if (!batch.v) all(go);
      else s.get("me").onsuccess = (e) => all(() => {
        const was = e.target.result ? JSON.parse(e.target.result) : { v: 0 };
        const other = (was.epoch || "") !== (batch.epoch || "");
        if (was.v > batch.v || was.v === batch.v && other && !batch.turns) {
          put = put.filter((r) => words(r.k));
          del = del.filter(words);
        } else if (was.v < batch.v || other) {
          if (!put.some((r) => r.k === "me")) throw new DOMException("what was kept is lost", "NotFoundError");
          for (const kind of ["c/", "p/", "u/"]) s.delete(below(kind));
        }
        go();
      });
      await end.catch((err) => { throw why || err; });
      if (batch.gone) await expire(batch.who, batch.gone.messages, batch.gone.files);
      const pages = del.filter((key) => key.startsWith("p/"));
      if (others && pages.length) others.postMessage({ account, gone: pages });
      const lost = JSON.stringify(gone);
      gone = [];
      return lost;
    },
    wipe: () => turn(async () => await wipe() ? "all" : ""),
    // peek returns one record, for tests and for the doctor.
    async peek(key) {
      const [, s] = await records("readonly");
      return asked(s.get(key));
    },
    // kept counts the records whose keys begin so, for tests.
    async kept(key) {
      const [, s] = await records("readonly");
      return asked(s.count(below(key)));
    },
    // persist asks the browser not to clear this when room gets short.
    persist: async () => Boolean(navigator.storage && navigator.storage.persist && await navigator.storage.persist()),
  };
})();
