//go:build !js

package words

// adminPhrases are the sentences of the pages beside the chat: what they have in
// common, and the administration.
var adminPhrases = map[string]phrase{
	"pages.skip":     {"Skip to the content", "跳到正文"},
	"pages.chat":     {"Chats", "返回聊天"},
	"pages.first":    {"First page", "第一页"},
	"pages.next":     {"Next page", "下一页"},
	"pages.sure":     {"Your password", "你的密码"},
	"pages.sure.why": {"Asked for again since this is not easily taken back. Then not for ten minutes.", "此操作不易撤销，需再次确认身份。确认后十分钟内不再询问。"},

	"settings.title": {"Settings", "设置"},

	"admin.title": {"Administration", "管理后台"},

	"said.the password is needed": {"Enter your password to go on.", "请输入密码以继续。"},
	"said.the password is wrong":  {"The password is wrong.", "密码不正确。"},
}
