package words

import "maps"

func init() {
	maps.Copy(phrases, pagePhrases)
	maps.Copy(phrases, problemPhrases)
}

// pagePhrases are the sentences of the pages that the server makes.
var pagePhrases = map[string]phrase{
	"app.loading": {"Loading…", "加载中…"},

	"signin.title":    {"Sign in", "登录"},
	"signin.username": {"Username", "用户名"},
	"signin.password": {"Password", "密码"},
	"signin.submit":   {"Sign in", "登录"},
	"signin.none":     {"No account yet?", "还没有账号？"},
	"signin.register": {"Register", "注册"},

	"register.title":         {"Register", "注册"},
	"register.username":      {"Username", "用户名"},
	"register.username.rule": {"2 to 32 letters, digits, or _ . -", "2 到 32 个字符，可用文字、数字和 _ . -"},
	"register.nickname":      {"Nickname (optional)", "昵称（选填）"},
	"register.nickname.rule": {"What others see. You can change it later.", "别人看到的名字，以后可以修改。"},
	"register.password":      {"Password", "密码"},
	"register.password.rule": {"At least 8 characters", "至少 8 个字符"},
	"register.submit":        {"Make account", "注册"},
	"register.have":          {"Have an account?", "已有账号？"},
	"register.signin":        {"Sign in", "登录"},

	"setup.title":  {"Set up KamaChat", "设置 KamaChat"},
	"setup.intro":  {"Make the administrator's account. It looks after this server.", "创建管理员账号，用来管理这台服务器。"},
	"setup.submit": {"Make the administrator", "创建管理员"},

	"noscript.note":    {"JavaScript is off: this page works, reload to see new messages.", "JavaScript 已关闭：页面仍可使用，刷新即可查看新消息。"},
	"noscript.older":   {"Older messages", "更早的消息"},
	"noscript.reload":  {"Reload", "刷新"},
	"noscript.new":     {"New conversation", "发起聊天"},
	"noscript.signout": {"Sign out", "退出登录"},

	"newpage.title":  {"New conversation", "发起聊天"},
	"newpage.find":   {"Search people", "搜索联系人"},
	"newpage.search": {"Search", "搜索"},
	"newpage.nobody": {"Nobody's name begins with “{0}”.", "没有名字以“{0}”开头的人。"},
	"newpage.write":  {"Write to {0}", "发消息给{0}"},
	"newpage.group":  {"Make a group", "创建群聊"},
	"newpage.choose": {"Choose who is in it, then name it.", "选择成员，再起个名称。"},
	"newpage.name":   {"Group name", "群聊名称"},
	"newpage.make":   {"Make group", "创建群聊"},
	"newpage.back":   {"Back", "返回"},
	"error.home":     {"Back to your conversations", "返回会话列表"},
	"error.400":      {"That request made no sense", "无法理解这个请求"},
	"error.400.text": {"Go back, check what you entered, and try again.", "请返回检查填写的内容，再试一次。"},
	"error.401":      {"You are signed out", "你已退出登录"},
	"error.401.text": {"Sign in and try again.", "请登录后再试。"},
	"error.403":      {"Not allowed", "没有权限"},
	"error.403.text": {"You can't see or do this. Ask the group's owner or the administrator.", "你无法查看或进行此操作，可以联系群主或管理员。"},
	"error.404":      {"Not found", "页面不存在"},
	"error.404.text": {"There is nothing at this address. It may have been removed.", "这个地址没有内容，可能已被删除。"},
	"error.409":      {"Already taken", "已被占用"},
	"error.409.text": {"Go back and choose another name.", "请返回换一个名称。"},
	"error.413":      {"Too large", "内容太大"},
	"error.413.text": {"Go back and make it shorter or smaller.", "请返回缩短内容或换个小一点的文件。"},
	"error.429":      {"Too fast", "操作太频繁"},
	"error.429.text": {"Wait a little, then try again.", "请稍等片刻再试。"},
	"error.500":      {"Something went wrong here", "服务器出错了"},
	"error.500.text": {"It is not your fault. Try again in a moment.", "这不是你的问题，请稍后再试。"},
	"error.503":      {"Very busy just now", "服务器正忙"},
	"error.503.text": {"Try again in a moment.", "请稍后再试。"},
}

// problemPhrases say why something was refused.
var problemPhrases = map[string]phrase{
	// By code, of a message that stays in the conversation.
	"refused.invalid":      {"Couldn't send: this can't be sent as it is. Copy it, change it, and send it again.", "未能发送：内容有问题。请复制后修改再发。"},
	"refused.too_long":     {"Couldn't send: too long. Copy it and send it in parts.", "未能发送：内容太长。请复制后分几次发送。"},
	"refused.not_found":    {"Couldn't send: this conversation is gone.", "未能发送：该会话已不存在。"},
	"refused.forbidden":    {"Couldn't send: you are not in this conversation any more.", "未能发送：你已不在此会话中。"},
	"refused.signed_out":   {"Couldn't send. Kept here until you sign in again.", "未能发送。消息已保存，请重新登录。"},
	"refused.busy":         {"Couldn't send: the server is busy. Kept here; try again in a moment.", "未能发送：服务器正忙。消息已保存，请稍后重试。"},
	"refused.rate_limited": {"Couldn't send: too many at once. Kept here; try again in a moment.", "未能发送：发得太快了。消息已保存，请稍后重试。"},
	"refused.taken":        {"Couldn't send: sent from another place already.", "未能发送：已从别处发送过。"},
	"refused.internal":     {"Couldn't send: something went wrong on the server. Kept here; try again.", "未能发送：服务器出错。消息已保存，请重试。"},

	// By code, of anything else.
	"problem.invalid":      {"That can't be right. Check what you entered.", "填写有误，请检查。"},
	"problem.too_long":     {"That is too long. Shorten it and try again.", "内容太长，请缩短后再试。"},
	"problem.not_found":    {"There is no such thing. It may have been removed.", "没有找到，可能已被删除。"},
	"problem.forbidden":    {"You are not allowed to do this.", "你没有权限进行此操作。"},
	"problem.signed_out":   {"You are signed out. Sign in and try again.", "你已退出登录，请登录后再试。"},
	"problem.busy":         {"The server is busy. Try again in a moment.", "服务器正忙，请稍后再试。"},
	"problem.rate_limited": {"Too many tries. Wait a little, then try again.", "尝试次数过多，请稍等片刻再试。"},
	"problem.taken":        {"That name is taken. Choose another.", "该名称已被占用，请换一个。"},
	"problem.internal":     {"Something went wrong on the server. Try again in a moment.", "服务器出错了，请稍后再试。"},
	"problem.offline":      {"No connection. Try again when you are back online.", "网络未连接，恢复后请重试。"},

	// By the refusal's own words, where the code alone would leave one guessing.
	"said.wrong username or password":                      {"Wrong username or password.", "用户名或密码不正确。"},
	"said.the account is disabled":                         {"This account is disabled. Ask the administrator.", "此账号已被停用，请联系管理员。"},
	"said.the username is in use":                          {"That username is taken. Choose another.", "该用户名已被占用，请换一个。"},
	"said.a username has 2 to 32 characters":               {"A username has 2 to 32 characters.", "用户名需为 2 到 32 个字符。"},
	"said.a username has letters, digits, and _ . - only":  {"A username has letters, digits, and _ . - only.", "用户名只能包含文字、数字和 _ . -。"},
	"said.a password has 8 to 256 bytes":                   {"A password has at least 8 characters.", "密码至少需要 8 个字符。"},
	"said.a nickname has at most 64 characters":            {"A nickname has at most 64 characters.", "昵称最多 64 个字符。"},
	"said.the nickname has characters that can't be shown": {"The nickname has characters that can't be shown.", "昵称中有无法显示的字符。"},
	"said.a group needs a name that can be shown":          {"A group needs a name.", "请填写群聊名称。"},
	"said.a group name has at most 64 characters":          {"A group name has at most 64 characters.", "群聊名称最多 64 个字符。"},
	"said.a group has at most 10,000 members":              {"A group has at most 10,000 members.", "群聊最多 10,000 人。"},
	"said.a member does not exist":                         {"One of the people does not exist any more.", "其中有人已不存在。"},
	"said.a member's account is disabled":                  {"One of the accounts is disabled.", "其中有账号已被停用。"},
	"said.no such person":                                  {"There is no such person.", "没有这个人。"},
	"said.the setup link is not valid":                     {"This setup link is not valid any more. The server's log has the newest one.", "设置链接已失效，最新的链接在服务器日志中。"},
	"said.there is an administrator already":               {"There is an administrator already. Sign in instead.", "管理员已存在，请直接登录。"},
	"said.the message is empty":                            {"Write something first.", "请先输入内容。"},
	"said.the text is too long":                            {"The message is too long. Send it in parts.", "消息太长，请分几次发送。"},
	"said.not a member of this group":                      {"You are not a member of this group.", "你不是此群聊的成员。"},
}
