// idb.js keeps what ui/local says in IndexedDB, one database for each account.
// Values are JSON texts. Which account this browser is of is in a database of
// its own: localStorage would be written too late for a browser that crashes.
(() => {
  "use strict";
  const table = "records", names = "kama", prefix = "kama-", who = "account";
  const tab = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");
  const locks = navigator.locks; // none where the address is not secure

  const asked = (r) => new Promise((ok, no) => { r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error); });
  const done = (tx) => new Promise((ok, no) => {
    tx.oncomplete = () => ok();
    tx.onabort = () => no(tx.error || new Error("the transaction was aborted"));
  });
  const below = (key, to) => IDBKeyRange.bound(key, key + (to === undefined ? "\uffff" : to));

  // As long as this page lives it holds a lock, by which others know that it
  // sends its posts itself.
  const alive = locks
    ? new Promise((ok) => { locks.request(prefix + tab, () => { ok(); return new Promise(() => {}); }).catch(ok); })
    : Promise.resolve();

  const open = (name) => new Promise((ok, no) => {
    const r = indexedDB.open(name, 1);
    r.onupgradeneeded = (e) => { if (e.oldVersion < 1) r.result.createObjectStore(table); };
    r.onsuccess = () => {
      const lost = () => { if (mine === r.result) db = mine = null; };
      r.result.onclose = lost;
      r.result.onversionchange = () => { // another page wipes it
        r.result.close();
        lost();
      };
      ok(r.result);
    };
    r.onerror = () => no(r.error);
  });

  const remembered = async () => {
    const d = await open(names);
    const name = await asked(d.transaction(table).objectStore(table).get(who));
    d.close();
    return name || "";
  };
  const remember = async (name) => {
    const d = await open(names);
    const tx = d.transaction(table, "readwrite", { durability: "strict" });
    tx.objectStore(table).put(name, who);
    await done(tx);
    d.close();
  };

  let account = "";
  let db = null, mine = null; // a promise, and what it came to
  const known = remembered().then((name) => { account = name; }, () => {});
  const base = async () => {
    await known;
    if (!account) throw new Error("nobody is signed in");
    if (!db) {
      if (await remembered() !== account) throw new Error("somebody else is signed in");
      if (!db) db = open(prefix + account).then((d) => mine = d, (err) => { db = null; throw err; });
    }
    return db;
  };
  // Who the browser is of changes in one page at a time.
  const turn = (f) => locks ? locks.request(names, f) : f();
  const records = async (mode, { whose, ...options } = {}) => {
    const d = await base();
    if (whose && whose !== account) throw new Error("this is of somebody else");
    const tx = d.transaction(table, mode, options);
    return [tx, tx.objectStore(table)];
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

  const merged = (old, fresh) => {
    if (!old) return fresh;
    const by = new Map();
    for (const m of JSON.parse(old)) by.set(m.seq, m);
    for (const m of JSON.parse(fresh)) by.set(m.seq, m);
    return JSON.stringify([...by.values()].sort((a, b) => a.seq - b.seq));
  };

  // wipe forgets what is here of this account and, where the browser is of
  // nobody else, of all others; not of the one that is spared.
  const wipe = async (spared) => {
    await known;
    const own = spared || await remembered().catch(() => account) === account;
    const all = new Set(account ? [prefix + account] : []);
    if (own && !spared) all.add(names);
    try {
      if (db) (await db).close();
    } catch { /* it was never open */ }
    db = mine = null;
    first = null;
    account = "";
    if (typeof indexedDB === "undefined") return own;
    if (own && indexedDB.databases) {
      for (const d of await indexedDB.databases()) if (d.name.startsWith(prefix)) all.add(d.name);
    }
    all.delete(prefix + spared);
    await Promise.all([...all].map((n) => new Promise((ok) => {
      const r = indexedDB.deleteDatabase(n);
      r.onsuccess = r.onerror = () => ok();
    })));
    return own;
  };

  window.kamaStore = {
    tab,
    // use says who is signed in; what another one has left is wiped.
    use: (id) => turn(async () => {
      await known;
      if (id === account && id === await remembered()) return;
      await wipe(id);
      account = id;
      await remember(id);
      await base();
    }),
    // leave is for a session that has ended elsewhere: all is wiped but posts
    // that wait, of any page. "all" says that nothing is left.
    leave: () => turn(async () => {
      await known;
      if (account && await remembered().catch(() => "") === account) {
        const [tx, s] = await records("readwrite");
        const end = done(tx);
        const waits = await asked(s.count(below("o/")));
        if (waits) for (const kind of ["c/", "p/", "u/"]) s.delete(below(kind));
        await end;
        if (waits) return "";
      }
      return await wipe() ? "all" : "";
    }),
    begin() {
      const p = first || load();
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
        await new Promise((ok) => setTimeout(ok));
      }
    },
    async keys() {
      const [, s] = await records("readonly");
      return JSON.stringify(await asked(s.getAllKeys(below("p/"))));
    },
    async write(text) {
      const batch = JSON.parse(text);
      const put = batch.put || [], del = batch.del || [];
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
      all(() => {
        for (const key of del) s.delete(key);
        for (const { k, v, m } of put) {
          if (!m) s.put(v, k);
          else s.get(k).onsuccess = (e) => all(() => s.put(merged(e.target.result, v), k));
        }
      });
      await end.catch((err) => { throw why || err; });
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
