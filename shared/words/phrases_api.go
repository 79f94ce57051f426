//go:build !js

package words

// apiPhrases are those of the page that describes the API, beside what the
// description itself says.
var apiPhrases = map[string]phrase{
	"api.title":         {"API", "API 接口"},
	"api.intro":         {"For programs that use KamaChat. The same for machines, as OpenAPI 3.1:", "供程序调用 KamaChat 使用，正文为英文。机器可读的 OpenAPI 3.1 版本："},
	"api.errors":        {"Errors", "错误码"},
	"api.types":         {"Types", "数据类型"},
	"api.params":        {"Parameters", "参数"},
	"api.body":          {"Body", "请求体"},
	"api.answers":       {"Answers", "响应"},
	"api.example":       {"Example", "示例"},
	"api.required":      {"required", "必填"},
	"api.access.open":   {"For everybody: no sign-in is needed.", "无需登录。"},
	"api.access.any":    {"For whoever is signed in, and every bot.", "登录用户和所有机器人可用。"},
	"api.access.scoped": {"For whoever is signed in. A bot's token needs the scope {0}.", "登录用户可用。机器人令牌需要权限 {0}。"},
	"api.access.people": {"For people who are signed in, not for bots.", "仅限登录用户，机器人不可用。"},
}
