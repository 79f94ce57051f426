//go:build !js

package words

// botPhrases are the sentences of the pages of bots and webhooks.
var botPhrases = map[string]phrase{
	"settings.bots":   {"Bots", "机器人"},
	"bots.what":       {"A bot is an account for a program. It acts by tokens that may do only what you tick.", "机器人是供程序使用的账号，只能凭令牌执行你勾选的操作。"},
	"bots.api":        {"What programs can do", "接口文档"},
	"bots.once":       {"The token “{0}”. Keep it: it is shown this once.", "令牌“{0}”。请妥善保存，仅显示这一次。"},
	"bots.token":      {"New token", "新建令牌"},
	"bots.token.name": {"What it is for", "用途"},
	"bots.token.make": {"Make the token", "创建令牌"},
	"bots.forget":     {"Revoke", "吊销"},
	"bots.end":        {"Delete this bot", "删除此机器人"},
	"bots.end.what":   {"Its tokens stop working at once. What it said stays.", "其令牌立即失效，已发送的消息会保留。"},
	"bots.make":       {"Make a bot", "创建机器人"},
	"bots.username":   {"Username", "用户名"},
	"bots.done":       {"Done.", "已完成。"},
	"said.you have as many bots as one may have":                 {"You have as many bots as one may have.", "你的机器人数量已达上限。"},
	"said.the bot has as many tokens as one may have":            {"This bot has as many tokens as one may have.", "此机器人的令牌数量已达上限。"},
	"said.a token is bound to some of the scopes that there are": {"Tick at least one thing that the token may do.", "请至少勾选一项权限。"},
	"hooks.title":      {"Webhooks", "Webhook 集成"},
	"hooks.address":    {"Post to this address, as JSON: {\"text\": \"…\"}. It is shown this once; who knows it can post.", "以 JSON 形式向此地址发送 {\"text\": \"…\"}。仅显示这一次；知道此地址的人即可发送消息。"},
	"hooks.secret":     {"What the address is told is signed with this. It is shown this once.", "发送到该地址的内容会用此密钥签名。仅显示这一次。"},
	"hooks.in":         {"Programs that post here", "可向此处发消息的程序"},
	"hooks.in.what":    {"Each has an address, and a bot that speaks for it in the group.", "每个程序有一个地址，并由一个机器人在群里发言。"},
	"hooks.since":      {"Since", "创建于"},
	"hooks.name":       {"What its bot is called", "机器人名称"},
	"hooks.make":       {"Make", "创建"},
	"hooks.end":        {"End", "停用"},
	"hooks.out":        {"Addresses that are told what is said", "接收群消息的地址"},
	"hooks.out.what":   {"Each is told every message from now on, in order, signed.", "从现在起，每条消息都会按顺序签名后发送到这些地址。"},
	"hooks.url":        {"Address", "地址"},
	"hooks.fails":      {"{0}, {1} tries", "{0}，已尝试 {1} 次"},
	"group.done.hooks": {"Done.", "已完成。"},
	"said.the conversation has as many webhooks as one may have": {"The group has as many webhooks as one may have.", "此群的 Webhook 数量已达上限。"},
	"bots.nickname": {"What others call it", "显示名称"},
}
