package page

import (
	"github.com/a-h/templ"

	"kamachat/shared/chat"
)

// exportPages are the pages on which files are made, in one of all states.
func exportPages(lang string) map[string]templ.Component {
	frame := SettingsFrame{Common: common(lang), Me: chat.Person{ID: ann, Username: "ann", Nickname: "Lin Mei"}, At: "/settings/export"}
	at := noon.UnixMilli()
	refused := frame
	refused.Problem = chat.Refuse(chat.RateLimited, "wait until what was begun before has ended")
	return map[string]templ.Component{
		"export-none":    ExportOf(ExportPage{SettingsFrame: frame}),
		"export-refused": ExportOf(ExportPage{SettingsFrame: refused}),
		"export": ExportOf(ExportPage{SettingsFrame: frame, Conv: hike, Title: "Weekend <hike>", Exports: []Export{
			{Job: chat.Job{ID: 5, State: chat.JobRunning, At: at}, Format: "html"},
			{Job: chat.Job{ID: 4, State: chat.JobRunning, Done: 300, Total: 1200, At: at}, Format: "html"},
			{Job: chat.Job{ID: 3, State: chat.JobDone, At: at}, Format: "json", Size: 48_200},
			{Job: chat.Job{ID: 2, State: chat.JobFailed, At: at, Detail: map[string]string{chat.JobProblem: "the server was restarted"}}, Format: "json"},
			{Job: chat.Job{ID: 1, State: chat.JobCancelled, At: at}, Format: "json"},
		}}),
	}
}
