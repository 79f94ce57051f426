package told

import (
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/words"
)

func TestEntriesAreToldInOneLine(t *testing.T) {
	for want, c := range map[[2]string]chat.Content{
		{"Message unsent", "消息已撤回"}: {Kind: chat.Gone, Fate: &chat.Fate{Recalled: 4, To: 4}},
		{"Removed: this server keeps messages for a limited time", "已删除：超出本服务器的消息保留期限"}: chat.Lapsed(3),
		{"long te…", "long te…"}:                      chat.TextContent("long text"),
		{"Picture", "[图片]"}:                           {Kind: chat.FileK, File: &chat.File{Name: "a.png", Type: "image/png"}},
		{"<Ub> muted <Uc> until 7", "<Ub>将<Uc>禁言至 7"}: {Kind: chat.Event, Event: &chat.Change{What: chat.Hushed, Who: []chat.UserID{"Uc"}, Until: 7}},
		{"<Ub> muted <Uc>", "<Ub>将<Uc>禁言"}:            {Kind: chat.Event, Event: &chat.Change{What: chat.Hushed, Who: []chat.UserID{"Uc"}, Until: chat.Endless}},
		{"<Ub> left", "<Ub>退出了群聊"}:                    {Kind: chat.Event, Event: &chat.Change{What: chat.Left, Who: []chat.UserID{"Ub"}}},
		{"The group has changed", "群聊有变动"}:            {Kind: chat.Event},
	} {
		for i, l := range []words.Lang{words.EN, words.ZH} {
			tell := Teller{Lang: l, Name: func(u chat.UserID) string { return "<" + string(u) + ">" }, Moment: func(ms int64) string { return string(rune('0' + ms)) }}
			m := chat.Message{Seq: 3, Author: "Ub", Content: c}
			got := tell.Preview(m, 8)
			if c.Kind == chat.Event {
				got = tell.Event(m)
			}
			if got != want[i] {
				t.Errorf("%+v: %q, want %q", c, got, want[i])
			}
		}
	}
}
