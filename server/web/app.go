package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"kamachat/server/page"
	"kamachat/shared/words"
)

// An app is what makes an installed program of the pages: the service worker
// and the manifests, as this build serves them.
type app struct {
	worker    *asset            // nil where there is no sw.js
	manifests map[string]*asset // by language
}

// A kit is what sw.js finds as self.kama.
type kit struct {
	Build  string            `json:"build"`  // of everything below, sw.js and the pages
	Assets []string          `json:"assets"` // addresses, to be kept
	Shells map[string]string `json:"shells"` // addresses, by language
	Doctor map[string]string `json:"doctor"` // the same, of the page that tells what works
	Icon   string            `json:"icon"`   // of notifications
	Badge  string            `json:"badge"`
}

// langs are the languages that pages are drawn in.
var langs = []string{"en", "zh"}

// newApp makes the service worker of this build. Its bytes change whenever
// anything changes that it keeps: only so do browsers notice.
func newApp(st *static, build string) (*app, error) {
	a := &app{manifests: map[string]*asset{}}
	for _, l := range langs {
		m, err := manifestOf(st, words.Lang(l))
		if err != nil {
			return nil, err
		}
		a.manifests[l] = m
	}
	sw := st.byName["sw.js"]
	if sw == nil {
		return a, nil
	}
	k := kit{Assets: []string{}, Shells: map[string]string{}, Doctor: map[string]string{}, Icon: st.url("icons/app-192.png"), Badge: st.url("icons/badge-96.png")}
	sum := sha256.New()
	fmt.Fprintln(sum, build, sw.hash)
	for _, name := range slices.Sorted(maps.Keys(st.byName)) {
		if name != "sw.js" {
			k.Assets = append(k.Assets, st.url(name))
			fmt.Fprintln(sum, st.url(name))
		}
	}
	for _, l := range langs {
		k.Shells[l] = "/shell?lang=" + l
		// Of nobody, at no time: what is drawn depends on the build alone.
		c := page.Common{Lang: l, Build: build, Asset: st.url, Now: time.Unix(0, 0), Zone: time.UTC}
		if err := page.Chat(page.ChatPage{Common: c}).Render(context.Background(), sum); err != nil {
			return nil, fmt.Errorf("draw the shell: %w", err)
		}
		k.Doctor[l] = "/doctor?lang=" + l
		if err := page.Doctor(page.DoctorPage{Common: c}).Render(context.Background(), sum); err != nil {
			return nil, fmt.Errorf("draw the doctor: %w", err)
		}
	}
	k.Build = hex.EncodeToString(sum.Sum(nil)[:8])
	line, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	a.worker = &asset{raw: slices.Concat([]byte("self.kama="), line, []byte(";\n"), sw.raw)}
	a.worker.finish("sw.js")
	return a, nil
}

// serveWorker serves the service worker, for all pages.
func (a *app) serveWorker(w http.ResponseWriter, r *http.Request) {
	if a.worker == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Service-Worker-Allowed", "/")
	a.worker.serve(w, r, "no-cache")
}

// A manifest is what a browser installs the program by (W3C Web Application Manifest).
type manifest struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	ShortName   string         `json:"short_name"`
	Description string         `json:"description"`
	Lang        string         `json:"lang"`
	StartURL    string         `json:"start_url"`
	Scope       string         `json:"scope"`
	Display     string         `json:"display"`
	Background  string         `json:"background_color"`
	Theme       string         `json:"theme_color"`
	Categories  []string       `json:"categories"`
	Icons       []manifestIcon `json:"icons"`
	Shortcuts   []shortcut     `json:"shortcuts"`
	Share       shareTarget    `json:"share_target"`
}

type (
	manifestIcon struct {
		Src     string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	shortcut struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	shareTarget struct {
		Action  string      `json:"action"`
		Method  string      `json:"method"`
		Enctype string      `json:"enctype"`
		Params  shareParams `json:"params"`
	}
	shareParams struct {
		Title string       `json:"title"`
		Text  string       `json:"text"`
		URL   string       `json:"url"`
		Files []shareFiles `json:"files"`
	}
	shareFiles struct {
		Name   string   `json:"name"`
		Accept []string `json:"accept"`
	}
)

// manifestOf is the manifest in one language. Its id stays the same in all.
func manifestOf(st *static, l words.Lang) (*asset, error) {
	m := manifest{
		ID: "/", Name: "KamaChat", ShortName: "KamaChat", Description: words.Say(l, "app.about"), Lang: string(l),
		StartURL: "/", Scope: "/", Display: "standalone", Background: "#ffffff", Theme: "#0b7d90",
		Categories: []string{"social"}, Icons: []manifestIcon{},
		Shortcuts: []shortcut{{words.Say(l, "newpage.title"), "/new"}},
		Share: shareTarget{"/share", http.MethodPost, "multipart/form-data", shareParams{
			"title", "text", "url", []shareFiles{{"files", []string{"image/*", "audio/*", "video/*", "text/*", "application/*"}}},
		}},
	}
	for _, i := range []struct{ name, sizes, purpose string }{
		{"app-192", "192x192", "any"}, {"app-512", "512x512", "any"}, {"mask-192", "192x192", "maskable"}, {"mask-512", "512x512", "maskable"},
	} {
		if u := st.url("icons/" + i.name + ".png"); u != "" {
			m.Icons = append(m.Icons, manifestIcon{u, i.sizes, "image/png", i.purpose})
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return nil, err
	}
	a := &asset{raw: b.Bytes()}
	a.finish("manifest.webmanifest")
	return a, nil
}

// serveManifest serves the manifest in the language that the page asks for:
// browsers send no cookies with it.
func (s *server) serveManifest(w http.ResponseWriter, r *http.Request) {
	m := s.app.manifests[r.URL.Query().Get("lang")]
	if m == nil {
		m = s.app.manifests[lang(w, r)]
	}
	m.serve(w, r, "no-cache")
}

// maxShared bounds each field of what is shared, in bytes as written in an address.
const maxShared = 2000

// share takes what another program shares where no service worker does: texts
// only. They go on behind the "#", which no browser sends and nobody logs.
func (s *server) share(w http.ResponseWriter, r *http.Request) {
	told := url.Values{}
	for _, name := range []string{"title", "text", "url"} {
		if v := short(r.FormValue(name), maxShared); v != "" {
			told.Set(name, v)
		}
	}
	to := "/"
	if len(told) > 0 {
		to = "/?share=1#" + told.Encode()
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// short returns as many whole characters of v as have at most n bytes in an address.
func short(v string, n int) string {
	for i, c := range v {
		if n -= len(url.QueryEscape(string(c))); n < 0 {
			return v[:i]
		}
	}
	return v
}
