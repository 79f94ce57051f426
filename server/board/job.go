package board

import (
	"context"
	"strconv"

	"kamachat/shared/chat"
)

// Jobs returns the latest jobs of everybody, at most limit, and who began them.
func (s *Service) Jobs(ctx context.Context, limit int) ([]chat.Job, []chat.Person, error) {
	js, err := s.Work.List(ctx, "", limit)
	if err != nil {
		return nil, nil, err
	}
	var ids []chat.UserID
	for _, j := range js {
		ids = append(ids, j.By)
	}
	ps, err := s.people(ctx, ids)
	return js, ps, err
}

// CancelJob notes that a job is cancelled, and cancels it; one that has ended
// stays as it is, and nothing is noted. It returns what the job was before.
func (s *Service) CancelJob(ctx context.Context, by chat.Deed, id int64) (chat.Job, error) {
	j, err := s.Work.Get(ctx, "", id)
	if err != nil || j.State != chat.JobRunning {
		return j, err
	}
	by.What, by.Target, by.Detail = chat.ActCancel, strconv.FormatInt(id, 10), j.Kind
	if err := s.Store.AddDeed(ctx, by); err != nil {
		return j, err
	}
	return j, s.Work.Cancel(ctx, "", id)
}
