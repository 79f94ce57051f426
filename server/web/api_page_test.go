package web

import (
	"regexp"
	"strings"
	"testing"
)

func TestPageShowsAllThatIsDescribed(t *testing.T) {
	h := open(t)
	for lang, title := range map[string]string{"en": "Errors", "zh": "错误码"} {
		got := h.do(h.browser(), "GET", "/api/docs", nil, "Accept-Language", lang, "Accept-Encoding", "identity")
		if got.status != 200 || !strings.Contains(got.body, title) {
			t.Fatalf("%s: %d %.200s", lang, got.status, got.body)
		}
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(`\bid="([^"]+)"`).FindAllStringSubmatch(got.body, -1) {
			if ids[m[1]] {
				t.Errorf("%s: %s is there twice", lang, m[1])
			}
			ids[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(got.body, -1) {
			if !ids[m[1]] {
				t.Errorf("%s: #%s leads nowhere", lang, m[1])
			}
		}
		for path, item := range describe(t).Open.Paths.Map() {
			for _, op := range item.Operations() {
				if there := ids["op-"+strings.ToLower(op.OperationID)]; there == (op.Tags[0] == "Files" || op.Tags[0] == "Notifications" || strings.HasSuffix(op.OperationID, "Hook") || strings.HasSuffix(op.OperationID, "Hooks")) {
					t.Errorf("%s: %s of %s: %v", lang, op.OperationID, path, there)
				}
			}
		}
		if !strings.Contains(got.body, `-d &#39;{&#34;text&#34;:&#34;Hello&#34;}&#39;`) {
			t.Errorf("%s: there is no example of a post", lang)
		}
	}
}

func TestEveryCodeHasAStatusAndIsExplained(t *testing.T) {
	said := comments()
	for c := range statuses {
		if said["Code="+string(c)] == "" {
			t.Errorf("%s is not explained", c)
		}
	}
	for k := range said {
		if c, is := strings.CutPrefix(k, "Code="); is {
			found := false
			for code := range statuses {
				found = found || string(code) == c
			}
			if !found {
				t.Errorf("%s has no status", c)
			}
		}
	}
}
