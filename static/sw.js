// sw.js, the service worker, opens the program without the server and shows what
// the server pushes. The server (server/web/app.go) writes a line before this
// one: self.kama, with what this build is made of. It changes with every build,
// and so browsers notice. Why it is as it is: docs/decisions/017-service-worker.md.
"use strict";
const { build, assets, shells, doctor, icon, badge } = self.kama;
const cacheName = `build-${build}`;
const patience = 2500; // milliseconds that a page may take where we have one at hand

// --- life ---

// fill keeps everything of this build, or nothing. A server of another build
// may answer while several are being replaced: its shell is refused.
const fill = async () => {
  const cache = await caches.open(cacheName);
  try {
    await cache.addAll(assets);
    for (const url of [...Object.values(shells), ...Object.values(doctor)]) {
      const answer = await fetch(url, { cache: "no-store", credentials: "omit" });
      const text = await answer.text();
      const used = text.match(/(?<=")\/static\/[^"\s]+/g) || [];
      if (!answer.ok || !used.length || !used.every((u) => assets.includes(u))) throw new Error(`${url} is not of this build`);
      await cache.put(url, unpacked(text, answer.headers));
    }
  } catch (err) {
    await caches.delete(cacheName);
    throw err;
  }
};

const unpacked = (text, from) => {
  const headers = new Headers(from);
  headers.delete("Content-Encoding");
  headers.delete("Content-Length");
  return new Response(text, { headers });
};

// settle removes what older builds kept: no page of theirs is left, or the
// person has asked for this one. The first worker of all takes over the pages
// that are open, so that they hear of the next.
const settle = async () => {
  const old = (await caches.keys()).filter((n) => n.startsWith("build-") && n !== cacheName);
  await Promise.all(old.map((n) => caches.delete(n)));
  if (registration.navigationPreload) await registration.navigationPreload.enable();
  if (!old.length) await clients.claim();
};

addEventListener("install", (event) => event.waitUntil(fill()));
addEventListener("activate", (event) => event.waitUntil(settle()));
addEventListener("message", (event) => {
  if (event.data === "skip-waiting") event.waitUntil(skipWaiting());
  if (event.data.push) event.waitUntil(pushed(event.data.push)); // a page that is out of sight has it by itself
});

// --- requests ---

addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === "POST" && url.pathname === "/share") event.respondWith(share(request).catch(() => Response.redirect("/", 303)));
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(ours(url.pathname) ? page(event, shells) : url.pathname === "/doctor" ? page(event, doctor) : network(event));
  else if (assets.includes(url.pathname)) event.respondWith(kept(request));
});

const ours = (path) => path === "/" || path === "/shell" || (path.startsWith("/c/") && !path.endsWith("/export"));

// network asks the server for a page. The browser has begun to, where it can,
// and would ask twice if nobody took that answer.
const network = async (event) => (await event.preloadResponse) || fetch(event.request);

// page is the server's page, or the one kept, of pages by language, where that
// fails or takes too long.
const page = async (event, pages) => {
  const asked = network(event);
  event.waitUntil(asked.catch(() => {}));
  const late = new Promise((done) => setTimeout(done, patience));
  const answer = await Promise.race([asked, late]).catch(() => {});
  if (answer && ![502, 503, 504].includes(answer.status)) return answer;
  return (await shell(pages)) || answer || asked;
};

// shell is a page of nobody, in the person's language and colours.
const shell = async (pages) => {
  const cookie = async (name) => self.cookieStore && ((await cookieStore.get(name)) || {}).value;
  const spoken = navigator.language.startsWith("zh") ? "zh" : "en";
  const url = pages[await cookie("kamachat_lang")] || pages[spoken];
  const found = await (await caches.open(cacheName)).match(url);
  const theme = await cookie("kamachat_theme");
  if (!found || (theme !== "light" && theme !== "dark")) return found;
  return unpacked((await found.text()).replace("<html", `<html data-theme="${theme}"`), found.headers);
};

const kept = async (request) => {
  const cache = await caches.open(cacheName);
  return (await cache.match(request.url, { ignoreVary: true })) || fetch(request);
};

// share keeps what another program shares until the page asks for it: it
// appears in no address and no log.
const share = async (request) => {
  const form = await request.formData();
  const text = (name) => String(form.get(name) || "").slice(0, 20000);
  const files = form.getAll("files").filter((f) => f instanceof File).slice(0, 20);
  await caches.delete("shared");
  const cache = await caches.open("shared");
  const names = files.map((f) => f.name);
  await Promise.all(files.map((f, i) => cache.put(`/shared/${i}`, new Response(f))));
  await cache.put("/shared", Response.json({ title: text("title"), text: text("text"), url: text("url"), names, at: Date.now() }));
  return Response.redirect("/?share=1", 303);
};

// --- push ---

// ask puts a question to a page; a page that has no answer says no.
const ask = (tab, question) => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = (event) => done(event.data);
  setTimeout(done, 500, false);
  tab.postMessage(question, [port2]);
});

const tabs = () => clients.matchAll({ type: "window", includeUncontrolled: true });

// pushed shows a message: { conv, title, body, seq, unread, tag, icon, path }. One
// conversation has one notification, of its latest message, and none while
// somebody looks at it.
const pushed = async (p) => {
  const counts = p.conv && p.unread >= 0; // a test push says nothing of what is unread
  if (navigator.setAppBadge && counts) await navigator.setAppBadge(p.unread).catch(() => {});
  for (const tab of await tabs()) {
    if (tab.focused && (await ask(tab, { kind: "shows", conv: p.conv }))) return tab.postMessage({ kind: "push", push: p });
  }
  const tag = p.tag || p.conv || "kamachat";
  const [now] = await registration.getNotifications({ tag });
  if (now && now.data.seq >= p.seq) return;
  await registration.showNotification(p.title || "KamaChat", {
    body: p.body || "", tag, renotify: true, icon: p.icon || icon, badge, data: { conv: p.conv, seq: p.seq, path: p.path },
  });
};

// opened brings what a notification is of to the front: in a page that runs, or in a new one.
const opened = async ({ conv, path = conv ? `/c/${conv}` : "/" }) => {
  for (const tab of await tabs()) {
    if (await ask(tab, { kind: "open", path })) return tab.focus();
  }
  return clients.openWindow(path);
};

// renewed tells the server of the subscription that takes the place of one that has ended.
const renewed = async ({ oldSubscription, newSubscription }) => {
  let sub = newSubscription;
  if (!sub && oldSubscription) sub = await registration.pushManager.subscribe(oldSubscription.options);
  if (!sub) return;
  await fetch("/api/v1/push/subscriptions", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(sub),
  });
};

const read = (data) => {
  try {
    return data.json() || {};
  } catch {
    return {};
  }
};

addEventListener("push", (event) => event.waitUntil(pushed(read(event.data))));
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(opened(event.notification.data || {}));
});
addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renewed(event)));
