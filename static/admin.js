// Keeps the numbers and charts of the overview up to date: the server sends
// pieces of the page, which take the place of those before. Without it the page
// is whole, and as of when it was loaded.
"use strict";
const tiles = document.getElementById("tiles");
const charts = document.getElementById("charts");
let live;
const open = () => {
  live?.close();
  live = new EventSource(tiles.dataset.live);
  live.addEventListener("tiles", (e) => { tiles.innerHTML = e.data; });
  live.addEventListener("charts", (e) => { charts.innerHTML = e.data; });
};
document.addEventListener("visibilitychange", () => {
  if (document.hidden) live?.close();
  else open();
});
addEventListener("pagehide", () => live?.close());
addEventListener("pageshow", (e) => { if (e.persisted) open(); });
open();
