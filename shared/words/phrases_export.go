//go:build !js

package words

// exportPhrases are the sentences of the pages on which people have files made of
// conversations and of their account, and of these files.
var exportPhrases = map[string]phrase{
	"export.account":     {"Export my data", "导出我的数据"},
	"export.what":        {"A file with every message of “{0}” that you can see, as of now.", "生成一个文件，包含“{0}”中目前你能看到的所有消息。"},
	"export.mine":        {"A file with what is kept about you: your profile, contacts, devices, conversations, and the messages that you wrote. It does not hold what others wrote.", "生成一个文件，包含保存的你的数据：个人资料、联系人、设备、会话列表以及你发送的消息，不含他人的消息。"},
	"export.format":      {"Form", "格式"},
	"export.format.html": {"Page to read (HTML)", "可阅读的网页（HTML）"},
	"export.format.json": {"Data for programs (JSON)", "供程序读取的数据（JSON）"},
	"export.start":       {"Make the file", "生成文件"},
	"export.kept":        {"Files can be fetched for 24 hours, by you alone.", "文件保留 24 小时，仅你本人可下载。"},
	"export.files":       {"Files", "文件"},
	"export.running":     {"being made: {0} of {1} messages", "生成中：{0}／{1} 条消息"},
	"export.waiting":     {"waits for its turn", "排队等候"},
	"export.fetch":       {"Download ({0})", "下载（{0}）"},
	"export.cancel":      {"Cancel", "取消"},
	"export.cancelled":   {"cancelled", "已取消"},
	"export.back":        {"Back to the conversation", "返回会话"},
	"export.about":       {"Exported {0} by {1}", "{1} 导出于 {0}"},

	"said.the server was restarted":                   {"The server was restarted. Start again.", "服务器已重启，请重新开始。"},
	"said.something went wrong here":                  {"Something went wrong on the server.", "服务器出现问题。"},
	"said.there is no such format":                    {"Choose a form.", "请选择格式。"},
	"said.wait until what was begun before has ended": {"Wait until the files that you asked for are made.", "请等待之前的文件生成完毕。"},
	"said.too much is under way":                      {"The server is busy with other files. Try again in a minute.", "服务器正在生成其他文件，请稍后再试。"},
	"said.the file is gone":                           {"The file is gone. Make it again.", "文件已过期，请重新生成。"},

	"job.kind.retention": {"Removal of old messages and files", "清除过期消息和文件"},
}
