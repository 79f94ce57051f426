package config

// Saving is how backup and restore work.
type Saving struct {
	Check bool // of Restore: only look whether the backup is whole
	Force bool // of Restore: lose what is there
	// EndTokens, of Restore: bots are signed out, as people are in any case, and
	// addresses of incoming webhooks end.
	EndTokens bool
	Quiet     bool
}

// backup and restore are their commands as kong reads them.
type backup struct {
	Storage
	Files string `placeholder:"DIR" help:"Folder of what people upload (default: files in the data folder)."`
	Quiet bool   `help:"Say nothing but what went wrong."`
	File  string `arg:"" help:"File to write, e.g. kamachat.tar.zst; there must be none."`
}

type restore struct {
	Storage
	Files     string `placeholder:"DIR" help:"Folder for what people upload (default: files in the data folder)."`
	Force     bool   `help:"Replace what is there, which is lost then."`
	EndTokens bool   `help:"Also end the tokens of bots and the addresses of incoming webhooks, as of a backup that others may have read. People have to sign in again in any case."`
	Check     bool   `help:"Only look whether the backup is whole, and say what is in it."`
	Quiet     bool   `help:"Say nothing but what went wrong."`
	File      string `arg:"" help:"The backup, as backup wrote it."`
}

// apply puts what was asked into cfg.
func (b backup) apply(cfg *Config) {
	cfg.Storage, cfg.Files, cfg.File, cfg.Saving = b.Storage, b.Files, b.File, Saving{Quiet: b.Quiet}
}

func (r restore) apply(cfg *Config) {
	cfg.Storage, cfg.Files, cfg.File, cfg.Saving = r.Storage, r.Files, r.File, Saving{Check: r.Check, Force: r.Force, EndTokens: r.EndTokens, Quiet: r.Quiet}
}
