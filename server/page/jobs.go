package page

import (
	"strconv"

	"kamachat/shared/chat"
)

// A JobsPage lists long work, the latest first.
type JobsPage struct {
	Admin
	Jobs   []chat.Job
	People []chat.Person
}

// job is what the catalogue calls something of a job, or else itself.
func (c Common) job(what, word string) string {
	key := "job." + what + "." + word
	if s := c.say(key); s != key {
		return s
	}
	return word
}

// jobClass is the look of a state.
func jobClass(s chat.JobState) string {
	switch s {
	case chat.JobDone:
		return "badge good"
	case chat.JobFailed:
		return "badge bad"
	case chat.JobRunning:
		return "badge warn"
	}
	return "badge"
}

// why says why a job failed.
func (c Common) why(j chat.Job) string {
	words := j.Detail[chat.JobProblem]
	if words == "" {
		return ""
	}
	if s := c.say("said." + words); s != "said."+words {
		return s
	}
	return words
}

// startedBy is who began a job.
func (p JobsPage) startedBy(j chat.Job) string {
	if j.By == "" {
		return p.say("admin.audit.server")
	}
	return p.named(p.People, j.By)
}

// steps is how far a job is, as far as it is known.
func (p JobsPage) steps(j chat.Job) string {
	if j.Total <= 0 {
		return Number(float64(j.Done))
	}
	return p.say("job.steps", Number(float64(j.Done)), Number(float64(j.Total)), strconv.Itoa(j.Percent()))
}
