package chat

// A JobState is how a job stands.
type JobState string

const (
	JobRunning   JobState = "running" // or waiting for its turn
	JobDone      JobState = "done"
	JobFailed    JobState = "failed" // Detail has JobProblem
	JobCancelled JobState = "cancelled"
)

// JobProblem is where the Detail of a job that failed says why, in words for people.
const JobProblem = "problem"

// A Job is work that takes long, and how far it is.
type Job struct {
	ID      int64             `json:"id,string"`
	Kind    string            `json:"kind"`
	By      UserID            `json:"by"` // who began it; empty: the server itself
	State   JobState          `json:"state"`
	Done    int64             `json:"done"`  // of Total
	Total   int64             `json:"total"` // 0: nobody knows
	Detail  map[string]string `json:"detail,omitempty"`
	At      int64             `json:"at"`      // begun, Unix milliseconds
	Updated int64             `json:"updated"` // last heard of, Unix milliseconds
}

// Percent is how much is done, 0 to 100; of a job whose end is not known 0.
func (j Job) Percent() int {
	switch {
	case j.State == JobDone:
		return 100
	case j.Total <= 0:
		return 0
	}
	return int(min(100, max(0, j.Done*100/j.Total)))
}
