package web

import (
	"net/http"

	"kamachat/shared/words"
)

// langCookie holds the language that a person chose. The service worker reads it.
const langCookie = "kamachat_lang"

// lang returns the language to answer in, "en" or "zh": the one asked for with
// ?lang=, which is kept in a cookie, else the cookie's, else the browser's.
func lang(w http.ResponseWriter, r *http.Request) string {
	if q := r.URL.Query().Get("lang"); q == "en" || q == "zh" {
		http.SetCookie(w, &http.Cookie{
			Name: langCookie, Value: q, Path: "/", MaxAge: 365 * 24 * 3600,
			Secure: overTLS(r), SameSite: http.SameSiteLaxMode,
		})
		return q
	}
	if c, err := r.Cookie(langCookie); err == nil && (c.Value == "en" || c.Value == "zh") {
		return c.Value
	}
	return string(words.Match(r.Header.Get("Accept-Language")))
}
