//go:build !js

package words

// boardPhrases are the sentences of the dashboard, the settings of the
// installation, invitations and reports.
var boardPhrases = map[string]phrase{
	"register.closed.do": {"Ask whoever runs this server for a link to register. Who has an account can sign in.", "请向服务器管理员索取注册链接。已有账号可直接登录。"},

	"said.registration is closed":                        {"Nobody can register here at present.", "目前无法在此注册。"},
	"said.registration is by invitation":                 {"Registering here needs an invitation.", "在此注册需要邀请。"},
	"said.the invitation is not valid any more":          {"This invitation is no longer valid: it was used up, has expired or was withdrawn.", "此邀请已失效：已用完、已过期或已撤回。"},
	"said.the group is larger than is allowed here":      {"The group has more people than is allowed here.", "群聊人数超过了此处的上限。"},
	"said.there are too many invitations: withdraw some": {"There are too many invitations. Withdraw some first.", "邀请太多了，请先撤回一些。"},
}
