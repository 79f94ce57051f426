package config

import (
	"bytes"
	"strings"

	"github.com/alecthomas/kong"
)

// An Exit is why Load gives no Config: the program ends with Code and says
// Words, on standard output where Code is 0 (the help) and on standard error otherwise.
type Exit struct {
	Code  int
	Words string
}

func (e *Exit) Error() string { return e.Words }

// commands is the command line as kong reads it.
type commands struct {
	Serve struct {
		Storage
		Serving
	} `cmd:"" default:"withargs" help:"Run the chat server (the default)."`
	Migrate struct {
		Storage
		Moving
	} `cmd:"" help:"Bring the database up to date and stop, or move everything to another one."`
	Backup  backup         `cmd:"" help:"Write everything to one file while the server goes on: the database and what people uploaded."`
	Restore restore        `cmd:"" help:"Make the database and the files of a backup."`
	Admin   administration `cmd:"" help:"Manage an installation."`
	Bench   struct {
		Bench
	} `cmd:"" help:"Load a running server and print what it took."`
	Version struct{} `cmd:"" help:"Print the version."`
}

// Load reads args, which do not include the program's name, and for flags not
// given there the environment: --rate-limit is KAMACHAT_RATE_LIMIT, and so on.
// Any error is an *Exit.
func Load(args []string, getenv func(string) string) (Config, error) {
	var c commands
	var help bytes.Buffer
	ended := false
	env := kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		if v := getenv(envName(f)); v != "" && f.Name != "help" {
			return v, nil
		}
		return nil, nil
	})
	k, err := kong.New(&c,
		kong.Name("kamachat"),
		kong.Description("KamaChat is a chat server in one file."),
		kong.Resolvers(env),
		kong.Writers(&help, &help),
		kong.Exit(func(int) { ended = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ValueFormatter(describe),
	)
	if err != nil {
		return Config{}, &Exit{2, "kamachat: " + err.Error()}
	}
	ctx, err := k.Parse(args)
	if ended {
		return Config{}, &Exit{0, help.String()}
	}
	if err != nil {
		return Config{}, &Exit{2, "kamachat: " + oneLine(err)}
	}
	cfg := Config{Command: strings.TrimSuffix(ctx.Command(), " <file>")}
	if c.Admin.load(strings.Fields(ctx.Command()), &cfg) {
		return cfg, nil
	}
	switch cfg.Command {
	case Serve:
		cfg.Storage, cfg.Serving = c.Serve.Storage, c.Serve.Serving
	case Migrate:
		cfg.Storage, cfg.Moving = c.Migrate.Storage, c.Migrate.Moving
	case Import:
		cfg.Storage, cfg.File = c.Admin.People.Import.Storage, c.Admin.People.Import.File
	case Backup:
		c.Backup.apply(&cfg)
	case Restore:
		c.Restore.apply(&cfg)
	case RunBench:
		cfg.Bench = c.Bench.Bench
	}
	return cfg, nil
}

// envName returns the environment's name of a flag.
func envName(f *kong.Flag) string {
	return "KAMACHAT_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// describe is the help of a flag or argument, with its default and its
// environment name.
func describe(v *kong.Value) string {
	if v.Flag == nil || v.Flag.Name == "help" {
		return v.Help
	}
	s := strings.TrimSuffix(v.Help, ".")
	if v.HasDefault {
		s += " (default: " + v.Default + ")"
	}
	return s + " [" + envName(v.Flag) + "]"
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
