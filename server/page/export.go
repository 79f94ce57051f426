package page

import (
	"strconv"

	"kamachat/shared/chat"
)

// An ExportPage is where a person has a file made of a conversation, or where Conv
// is empty, of the account.
type ExportPage struct {
	SettingsFrame
	Conv    chat.ConvID
	Title   string // of the conversation
	Exports []Export
}

// An Export is a file that was asked for, the latest first.
type Export struct {
	Job    chat.Job
	Format string // "html" or "json"
	Size   int64  // bytes, once it is done
}

func (p ExportPage) heading() string {
	if p.Conv == "" {
		return p.say("export.account")
	}
	return p.say("export.title")
}

// action is where the form goes, which is where the page is.
func (p ExportPage) action() string {
	if p.Conv == "" {
		return "/settings/export"
	}
	return "/c/" + string(p.Conv) + "/export"
}

// state says how far a file is that can't be fetched.
func (p ExportPage) state(j chat.Job) string {
	switch {
	case j.State == chat.JobCancelled:
		return p.say("export.cancelled")
	case j.State == chat.JobFailed:
		return p.problem(chat.Refuse(chat.Internal, j.Detail[chat.JobProblem]))
	case j.Total == 0:
		return p.say("export.waiting")
	}
	return p.say("export.running", j.Done, j.Total)
}

func exportURL(j chat.Job) string { return "/exports/" + strconv.FormatInt(j.ID, 10) }
