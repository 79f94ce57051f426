package words

import "maps"

// phrases are all sentences. A key that ends in ".one" is the singular of the
// key before it, which only English has.
var phrases = merged(chatPhrases, pagePhrases, problemPhrases, doctorPhrases, adminPhrases, boardPhrases, apiPhrases, groupPhrases, exportPhrases, botPhrases, peoplePhrases, keyPhrases)

func merged(sets ...map[string]phrase) map[string]phrase {
	all := map[string]phrase{}
	for _, s := range sets {
		maps.Copy(all, s)
	}
	return all
}

// chatPhrases are the sentences of the chat.
var chatPhrases = map[string]phrase{
	"close":      {"Close", "关闭"},
	"names.join": {", ", "、"},
	"names.more": {"{0} and {1} others", "{0}等另外 {1} 人"},

	"day.today":     {"Today", "今天"},
	"day.yesterday": {"Yesterday", "昨天"},

	// The list of conversations.
	"list.label":    {"Conversations", "会话"},
	"list.find":     {"Search conversations", "搜索会话"},
	"list.nothing":  {"Nothing here matches “{0}”.", "没有与“{0}”相符的会话。"},
	"list.empty":    {"No conversations yet. Find someone and say hello.", "还没有会话。找个人，打声招呼吧。"},
	"list.start":    {"Find someone", "找人聊天"},
	"list.more":     {"Show {0} more", "再显示 {0} 个"},
	"list.unread":   {"{0} unread", "{0} 条未读"},
	"list.archived": {"Archived ({0})", "已归档（{0}）"},
	"list.draft":    {"Draft:", "[草稿]"},
	"list.you":      {"You", "我"},
	"list.says":     {"{0}: ", "{0}："},

	// The line about the connection.
	"note.connecting": {"Connecting…", "正在连接…"},
	"note.offline":    {"Offline. You can read and write; messages go out by themselves later.", "离线。仍可阅读和写消息，恢复后自动发送"},
	"note.queued":     {"Offline · {0} messages wait here and go out by themselves", "离线 · {0} 条消息已保存，恢复后自动发送"},
	"note.queued.one": {"Offline · {0} message waits here and goes out by itself", ""},
	"note.unkept":     {"Offline · {0} messages wait here: leave this page open, the browser keeps nothing", "离线 · {0} 条消息待发送：此浏览器无法保存，请勿关闭页面"},
	"note.unkept.one": {"Offline · {0} message waits here: leave this page open, the browser keeps nothing", ""},
	"note.nokeep":     {"Offline · this browser keeps nothing: what you write lasts as long as this page", "离线 · 此浏览器无法保存数据，关闭页面后内容会丢失"},
	"note.signedout":  {"You are signed out. Sign in again to go on.", "你已退出登录，请重新登录。"},

	// Oneself, and the menu.
	"profile.menu":    {"Your account and settings", "账号与设置"},
	"profile.online":  {"Online", "在线"},
	"profile.offline": {"Offline", "离线"},
	"menu.theme":      {"Appearance", "外观"},
	"menu.language":   {"Language", "语言"},
	"menu.contacts":   {"Contacts", "联系人"},
	"menu.settings":   {"Settings", "设置"},
	"asks.waiting":    {"Waiting for your answer, to be your contact: {0}", "待处理的联系人申请：{0}"},
	"asks.group":      {"Waiting to join “{0}”: {1}", "待处理的入群申请（{0}）：{1}"},
	"asks.see":        {"See", "查看"},
	"export.title":    {"Export the conversation", "导出会话"},
	"details.person":  {"Profile", "个人信息"},
	"menu.admin":      {"Administration", "管理后台"},
	"menu.doctor":     {"Is everything working?", "检查运行情况"},
	"menu.signout":    {"Sign out", "退出登录"},
	"theme.light":     {"Light", "浅色"},
	"theme.dark":      {"Dark", "深色"},
	"theme.system":    {"System", "跟随系统"},

	// The conversation.
	"conv.parted":          {"You are no longer in this group", "你已不在该群聊中"},
	"shut.until":           {"You are muted here until {0}", "你在此群被禁言至 {0}"},
	"details.group":        {"Members, links and settings", "成员、邀请与群设置"},
	"conv.none":            {"Choose a conversation", "选择一个会话"},
	"conv.first":           {"What you write to each other shows here", "你们的聊天会显示在这里"},
	"head.back":            {"Back to the list", "返回列表"},
	"head.details":         {"Details", "详情"},
	"head.members":         {"{0} members", "{0} 位成员"},
	"head.members.one":     {"{0} member", ""},
	"head.online":          {"Online", "在线"},
	"head.offline":         {"Offline", "离线"},
	"head.unknown":         {"Online status unknown", "在线状态未知"},
	"typing.peer":          {"typing…", "正在输入…"},
	"typing.one":           {"{0} is typing…", "{0}正在输入…"},
	"typing.many":          {"{0} people are typing…", "{0} 人正在输入…"},
	"log.label":            {"Messages", "消息"},
	"log.new":              {"New messages", "新消息"},
	"log.below":            {"{0} new", "{0} 条新消息"},
	"log.end":              {"Newest messages", "回到最新消息"},
	"composer.label":       {"Message to {0}", "发给{0}的消息"},
	"composer.placeholder": {"Write a message", "输入消息"},
	"composer.emoji":       {"Emoji", "表情"},
	"composer.send":        {"Send", "发送"},

	// What became of a message, and what can be done about it.
	"log.edited":   {"edited", "已编辑"},
	"gone.text":    {"Message unsent", "消息已撤回"},
	"gone.expired": {"Removed: this server keeps messages for a limited time", "已删除：超出本服务器的消息保留期限"},
	"act.label":    {"What to do with this message", "消息操作"},
	"act.react":    {"React with {0}", "回应 {0}"},
	"act.reply":    {"Reply", "回复"},
	"act.copy":     {"Copy", "复制"},
	"act.edit":     {"Edit", "编辑"},
	"act.unsend":   {"Unsend", "撤回"},
	"act.report":   {"Report", "举报"},
	"act.sure":     {"Unsend?", "确定撤回？"},
	"react.count":  {"{0}: {1}", "{0}：{1} 人"},
	"about.reply":  {"Reply to {0}", "回复{0}"},
	"about.edit":   {"Edit message", "编辑消息"},
	"about.cancel": {"Cancel", "取消"},
	"amend.failed": {"That was not possible any more. The message is as it was.", "操作未成功，消息保持不变。"},
	"amend.full":   {"This message has as many reactions as it can take.", "此消息的回应已达上限。"},
	"log.keys":     {"Enter, then the arrow keys: what can be done with each message", "按回车，再用方向键选择消息和操作"},

	// How far an own message has got.
	"tick.queued":    {"Waiting to be sent", "等待发送"},
	"tick.stored":    {"Sent", "已发送"},
	"tick.delivered": {"Delivered", "已送达"},
	"tick.read":      {"Read", "已读"},
	"tick.failed":    {"Not sent", "未发送"},
	"failed.retry":   {"Try again", "重试"},
	"failed.copy":    {"Copy", "复制"},
	"failed.discard": {"Delete", "删除"},

	// What the conversation itself did: {0} is who did it.
	"event.made":      {"{0} made the group “{1}”", "{0}创建了群聊“{1}”"},
	"event.added":     {"{0} added {1}", "{0}邀请{1}加入了群聊"},
	"event.joined":    {"{0} joined", "{0}加入了群聊"},
	"event.left":      {"{0} left", "{0}退出了群聊"},
	"event.removed":   {"{0} removed {1}", "{0}将{1}移出了群聊"},
	"event.renamed":   {"{0} renamed the group “{1}”", "{0}将群聊改名为“{1}”"},
	"event.changed":   {"The group has changed", "群聊有变动"},
	"event.letin":     {"{0} let {1} in", "{0}同意{1}加入了群聊"},
	"event.notice":    {"{0} set the notice: {1}", "{0}更新了群公告：{1}"},
	"event.unnoticed": {"{0} removed the notice", "{0}清除了群公告"},
	"event.picture":   {"{0} changed the group's picture", "{0}更换了群头像"},
	"event.promoted":  {"{0} made {1} an administrator", "{0}将{1}设为管理员"},
	"event.demoted":   {"{0} took {1} off the administrators", "{0}取消了{1}的管理员"},
	"event.handed":    {"{0} handed the group over to {1}", "{0}将群主转让给{1}"},
	"event.hushed":    {"{0} muted {1}", "{0}将{1}禁言"},
	"event.until":     {"{0} muted {1} until {2}", "{0}将{1}禁言至 {2}"},
	"event.heard":     {"{0} let {1} speak again", "{0}解除了{1}的禁言"},
	"event.ruled":     {"{0} set the rules: {1}", "{0}更改了群规则：{1}"},
	"event.dismissed": {"{0} dismissed the group", "{0}解散了群聊"},
	"event.disabled":  {"{0} disabled the group for the server", "服务器管理员{0}停用了群聊"},
	"event.enabled":   {"{0} enabled the group again", "服务器管理员{0}恢复了群聊"},
	"event.contacts":  {"You are contacts now", "你们已成为联系人，开始聊天吧"},
	"rule.direct":     {"anybody may join", "任何人可直接加入"},
	"rule.approval":   {"administrators let people in", "加入需管理员同意"},
	"rule.invite":     {"by invitation only", "仅限邀请加入"},
	"rule.announce":   {"only administrators write", "仅管理员可发言"},
	"rule.slow":       {"one message every {0} s", "每 {0} 秒可发一条"},

	// What is no text, in a line.
	"preview.call":    {"Call", "[通话]"},
	"preview.file":    {"File: {0}", "[文件] {0}"},
	"preview.picture": {"Picture", "[图片]"},
	"push.test":       {"Notifications reach this browser.", "本浏览器能收到通知。"},
	"call.start":      {"Called", "发起了通话"},
	"call.answered":   {"Answered the call", "接听了通话"},
	"call.declined":   {"Declined the call", "拒绝了通话"},

	// Finding people, and making groups.
	"find.start":             {"Type a name to find someone.", "输入名字来找人。"},
	"find.nobody":            {"Nobody's name begins with “{0}”.", "没有名字以“{0}”开头的人。"},
	"find.failed":            {"Couldn't search. Check your connection and try again.", "搜索失败，请检查网络后重试。"},
	"new.title":              {"New conversation", "发起聊天"},
	"new.find":               {"Search people", "搜索联系人"},
	"new.group":              {"New group", "新建群聊"},
	"new.name":               {"Group name", "群聊名称"},
	"new.make":               {"Create group", "创建群聊"},
	"new.more":               {"More choices", "更多设置"},
	"group.joining":          {"Who may join", "加入方式"},
	"group.joining.direct":   {"Anybody may join", "任何人可直接加入"},
	"group.joining.approval": {"Administrators let people in", "需管理员同意"},
	"group.joining.invite":   {"By invitation only", "仅限邀请"},
	"person.gone":            {"Deleted account", "已注销的账号"},
	"new.remove":             {"Remove {0}", "移除{0}"},
	"switch.title":           {"Go to", "快速跳转"},
	"switch.find":            {"Go to a person, a group or a message", "跳转到联系人、群聊或消息"},
	"signout.queued":         {"{0} messages are not sent yet. Sign out and lose them?", "还有 {0} 条消息未发送。退出登录会丢失它们，继续吗？"},
	"signout.queued.one":     {"{0} message is not sent yet. Sign out and lose it?", ""},
	"signout.offline":        {"You are offline. Sign out when you are connected again.", "当前离线，请恢复连接后再退出登录。"},
	"details.date":           {"Go to a day", "跳转到日期"},
	"switch.hits":            {"Messages", "消息"},

	// Notifications.
	"off":           {"Off", "关闭"},
	"notes.title":   {"Notifications", "通知"},
	"notes.none":    {"This browser can't show them here. It needs an https address.", "此处无法显示通知，需要通过 https 地址访问。"},
	"notes.denied":  {"Blocked. Allow them for this site in the browser's settings.", "已被拦截，请在浏览器设置中允许此网站发送通知。"},
	"notes.here":    {"They show as long as KamaChat is open.", "仅在 KamaChat 打开时显示通知。"},
	"quiet.title":   {"Do not disturb", "免打扰"},
	"quiet.morning": {"Until 8:00", "到 8:00"},
	"quiet.until":   {"{0} · until {1}", "{0} · 至 {1}"},
	"quiet.daily":   {"Quiet every day", "每日免打扰时段"},
	"quiet.from":    {"From", "开始时间"},
	"quiet.to":      {"To", "结束时间"},
	"mute.title":    {"Mute notifications", "消息免打扰"},
	"mute.muted":    {"Muted", "已设为免打扰"},
	"mute.hour":     {"1 h", "1 小时"},
	"mute.hours":    {"8 h", "8 小时"},
	"mute.week":     {"1 week", "1 周"},
	"mute.always":   {"Always", "始终"},

	// What one makes of a conversation in the list.
	"line.label":     {"In the list", "会话管理"},
	"line.pin":       {"Pin to the top", "置顶"},
	"line.unpin":     {"Unpin", "取消置顶"},
	"line.pinned":    {"Pinned", "已置顶"},
	"line.archive":   {"Archive", "归档"},
	"line.unarchive": {"Take out of the archive", "取消归档"},
	"line.delete":    {"Delete for me…", "删除会话…"},
	"line.sure":      {"Really delete all messages?", "确定删除全部消息？"},
	"line.read":      {"Mark as read", "标为已读"},
	"line.unread":    {"Mark as unread", "标为未读"},
	"line.marked":    {"Marked as unread", "已标为未读"},
	"line.full":      {"50 conversations are pinned. Unpin one first.", "最多置顶 50 个会话，请先取消一个。"},
	"line.failed":    {"That couldn't be changed. It is as before.", "无法更改，已恢复原样。"},

	// What other programs share.
	"share.choose": {"Choose a conversation to share to", "选择要分享到的会话"},
	"share.cancel": {"Cancel", "取消"},

	// Files that are to be sent, and pictures that were.
	"attach.add":     {"Send files", "发送文件"},
	"attach.list":    {"Files to send", "待发送的文件"},
	"attach.drop":    {"Drop files to send them here", "松开即可发送到此会话"},
	"attach.sending": {"Sending {0}", "正在发送 {0}"},
	"attach.sent":    {"{0} sent", "{0} 已发送"},
	"attach.stop":    {"Cancel sending {0}", "取消发送 {0}"},
	"attach.queued":  {"Comes next", "排队中"},
	"attach.waits":   {"Waits for the connection", "等待网络恢复"},
	"attach.large":   {"“{0}” is too large: a file may have {1}.", "“{0}”太大，文件不能超过 {1}。"},
	"attach.many":    {"That is too much at once. Send these first.", "一次太多了，请先发送这些文件。"},
	"attach.folder":  {"“{0}” is a folder. Choose the files in it.", "“{0}”是文件夹，请选择其中的文件。"},
	"attach.unkept":  {"This browser keeps no files: leave the page open until they are sent.", "此浏览器无法保存文件，发送完成前请勿关闭页面。"},
	"view.save":      {"Download", "下载"},

	// A newer program.
	"update.ready":  {"A new version is ready", "新版本已就绪"},
	"update.now":    {"Update", "更新"},
	"broken.text":   {"Something went wrong on this page. Your messages are safe.", "页面出了点问题，你的消息没有丢失。"},
	"broken.reload": {"Reload the page", "重新加载页面"},
}
