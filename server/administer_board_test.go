package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kamachat/server/board"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// noted are the acts in the audit log of data, oldest first; all are by who uses this shell.
func noted(t *testing.T, data string) (whats []string) {
	t.Helper()
	me := shellUser()
	for _, d := range printed[[]chat.Deed](t, data, "audit") {
		if whats = append(whats, d.What); d.Addr != me.Addr || d.ByName != me.Name || d.By != "" {
			t.Errorf("noted as %+v", d)
		}
	}
	slices.Reverse(whats)
	return whats
}

func TestTheShellChangesSettingsAsThePageDoes(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	url := inProcess(t, "--data", data)
	if out, err := inShell(t, data, "settings"); err != nil || !strings.Contains(out, "open, invite, closed") || !strings.Contains(out, "2 to 10000") {
		t.Errorf("settings: %v\n%s", err, out)
	}
	for words, want := range map[string]string{
		"registration sometimes": "there is no such way to register", "max_group 1": "a group may have from 2 to 10,000 people",
		"retention.days x": "messages are kept for 0 to 36,500 days", "colour red": "there is no such setting",
	} {
		if _, err := inShell(t, data, append([]string{"set"}, strings.Fields(words)...)...); err == nil || err.Error() != want {
			t.Errorf("set %s: %v, want %q", words, err, want)
		}
	}
	if got := printed[[]setting](t, data, "set", "registration", "closed"); len(got) != 1 || got[0].Value != "closed" {
		t.Errorf("set: %+v", got)
	}
	if got := printed[[]setting](t, data, "settings"); len(got) != 5 || got[0].Name != "registration" || got[0].Value != "closed" || len(got[0].Options) != 3 || got[2].High != chat.MaxMembers {
		t.Errorf("afterwards: %+v", got)
	}
	eventually(t, func() string { return "people still register" }, func() bool {
		return !strings.Contains(body(t, url+"/register"), `name="password"`)
	})
	if got := noted(t, data); !slices.Equal(got, []string{chat.ActSet}) {
		t.Errorf("noted: %v", got)
	}
}

func TestTheShellMakesAndWithdrawsInvitations(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	url := inProcess(t, "--data", data)
	if _, err := inShell(t, data, "set", "registration", "invite"); err != nil {
		t.Fatal(err)
	}
	if _, err := inShell(t, data, "invite", "--days", "9999"); err == nil || !strings.Contains(err.Error(), "366 days") {
		t.Errorf("for ever and a day: %v", err)
	}
	made := printed[done](t, data, "invite", "--note", "the choir", "--most", "2")
	all := printed[[]chat.Invitation](t, data, "invitations")
	if len(all) != 1 || all[0].Code != made.ID || all[0].Note != "the choir" || all[0].Most != 2 || all[0].ExpiresAt < time.Now().Add(13*24*time.Hour).UnixMilli() {
		t.Fatalf("made %+v, listed %+v", made, all)
	}
	if !strings.Contains(made.Note, "/register?invite="+made.ID) || !strings.Contains(body(t, url+"/register?invite="+made.ID), `name="password"`) {
		t.Errorf("the link of %+v does not open the form", made)
	}
	if _, err := inShell(t, data, "uninvite", made.ID); err != nil {
		t.Error(err)
	}
	if _, err := inShell(t, data, "uninvite", made.ID); err == nil || err.Error() != "there is no such invitation" {
		t.Errorf("twice: %v", err)
	}
	if all := printed[[]chat.Invitation](t, data, "invitations"); len(all) != 0 {
		t.Errorf("left are %+v", all)
	}
	if got := noted(t, data); !slices.Equal(got, []string{chat.ActSet, chat.ActInvite, chat.ActUninvite}) {
		t.Errorf("noted: %v", got)
	}
}

func TestTheShellSettlesReports(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	url := inProcess(t, "--data", data)
	ann, bob := join(t, url, "ann"), join(t, url, "bob")
	conv := chat.Direct(ann.ID, bob.ID)
	for i := range 3 {
		ann.say(conv, fmt.Sprint("ann ", i))
	}
	agree(t, url, conv, 3, ann, bob)
	report := func(in map[string]any) {
		t.Helper()
		in["reason"] = "rude"
		body, _ := json.Marshal(in)
		req, _ := http.NewRequest("POST", url+"/api/v1/reports", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+bob.token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode >= 300 {
			t.Fatalf("reported: %s", res.Status)
		}
	}
	report(map[string]any{"conv": conv, "seq": 2})
	report(map[string]any{"user": ann.ID})
	report(map[string]any{"conv": conv, "seq": 3})
	open := printed[[]chat.Report](t, data, "reports")
	if len(open) != 3 || open[2].Seq != 2 || open[2].User != ann.ID || open[2].Said != "ann 1" {
		t.Fatalf("open are %+v", open)
	}
	id := func(i int) string { return fmt.Sprint(open[i].ID) }
	if one := printed[[]chat.Report](t, data, "reports", "--limit", "1"); len(one) != 1 || one[0].ID != open[0].ID {
		t.Errorf("the latest is %+v", one)
	}
	if c := printed[board.Case](t, data, "report", id(2)); c.ID != open[2].ID || len(c.Entries) != 3 || c.Entries[1].Content.Text != "ann 1" || len(c.People) != 2 {
		t.Errorf("the report is %+v", c)
	}
	if out, err := inShell(t, data, "report", id(2)); err != nil || !strings.Contains(out, `"ann 0"`) || !strings.Contains(out, ">") {
		t.Errorf("the report: %v\n%s", err, out)
	}
	for words, want := range map[string]string{
		id(2) + " remove": "add --yes", "7 settled": "no such report", "7 remove --yes": "no such report", id(1) + " remove --yes": "not about a message", id(2) + " burn": "must be one of",
	} {
		if _, err := inShell(t, data, append([]string{"settle"}, strings.Fields(words)...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("settle %s: %v, want %q", words, err, want)
		}
	}
	if d := printed[done](t, data, "settle", id(2), "remove", "--yes"); d.Did != "remove" {
		t.Errorf("removed: %+v", d)
	}
	// The server goes on with the log behind what the shell wrote into it.
	bob.say(conv, "bob 0")
	var log chat.Page
	eventually(t, func() string { return fmt.Sprintf("the log is %+v", log.Entries) }, func() bool {
		call(t, "GET", url+"/api/v1/conversations/"+string(conv)+"/messages", bob.token, nil, &log)
		return len(log.Entries) == 5
	})
	if gone := log.Entries[1]; gone.Seq != 2 || gone.Content.Kind != chat.Gone || gone.Content.Text != "" {
		t.Errorf("the message is %+v", gone)
	}
	if _, err := inShell(t, data, "settle", id(2), "dismissed"); err == nil || err.Error() != "the report is closed already" {
		t.Errorf("twice: %v", err)
	}
	if d := printed[done](t, data, "settle", id(1), "disable"); d.Did != chat.ActDisable || d.ID != string(ann.ID) {
		t.Errorf("disabled: %+v", d)
	}
	for i, outcome := range map[int]string{1: chat.OutcomeSettled, 0: chat.OutcomeDismissed} {
		if _, err := inShell(t, data, "settle", id(i), outcome); err != nil {
			t.Errorf("settle as %s: %v", outcome, err)
		}
	}
	got := map[string]bool{}
	for _, r := range printed[[]chat.Report](t, data, "reports", "--closed") {
		got[r.Outcome] = r.ClosedAt > 0
	}
	if len(got) != 3 || !got[chat.OutcomeRemoved] || !got[chat.OutcomeSettled] || !got[chat.OutcomeDismissed] {
		t.Errorf("closed as %v", got)
	}
	whats := noted(t, data)
	if want := []string{chat.ActLookAt, chat.ActLookAt, chat.ActRemove, chat.ActClose, chat.ActDisable, chat.ActClose, chat.ActClose}; !slices.Equal(whats, want) {
		t.Errorf("noted: %v, want %v", whats, want)
	}
}

func TestTheShellListsAndCancelsJobs(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	printed[[]chat.Job](t, data, "jobs") // makes the database
	db, err := store.Open(t.Context(), "sqlite:"+data+"/kamachat.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	j := chat.Job{ID: 4, Kind: "retention", State: chat.JobRunning, Done: 30, Total: 120, At: 1, Updated: time.Now().UnixMilli(), Detail: map[string]string{"node": "7"}}
	if err := db.AddJob(t.Context(), j, 1); err != nil {
		t.Fatal(err)
	}
	if out, err := inShell(t, data, "jobs"); err != nil || !strings.Contains(out, "retention") || !strings.Contains(out, "25") {
		t.Errorf("jobs: %v\n%s", err, out)
	}
	if d := printed[done](t, data, "cancel", "4"); d.Name != "retention" {
		t.Errorf("cancelled: %+v", d)
	}
	if ok, err := db.SaveJob(t.Context(), j); ok || err != nil {
		t.Errorf("its node may go on: %v %v", ok, err)
	}
	for id, want := range map[string]string{"4": "the job has ended already: cancelled", "5": "there is no such job"} {
		if _, err := inShell(t, data, "cancel", id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("cancel %s: %v, want %q", id, err, want)
		}
	}
	if all := printed[[]chat.Job](t, data, "jobs"); len(all) != 1 || all[0].State != chat.JobCancelled {
		b, _ := json.Marshal(all)
		t.Errorf("jobs: %s", b)
	}
	if got := noted(t, data); !slices.Equal(got, []string{chat.ActCancel}) {
		t.Errorf("noted: %v", got)
	}
}

// body is what a page shows to who is not signed in.
func body(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	p, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}
