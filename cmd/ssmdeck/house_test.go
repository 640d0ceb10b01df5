package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// eachSourceFile parses every file of ours that goes into the binary.
func eachSourceFile(t *testing.T, visit func(path string, file *ast.File)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git" || d.Name() == "tools"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator))), file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// callOf returns the package and the name of what is called, for pkg.Name(…).
func callOf(call *ast.CallExpr) string {
	if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
		if pkg, ok := sel.X.(*ast.Ident); ok {
			return pkg.Name + "." + sel.Sel.Name
		}
	}
	return ""
}

// Every command starts the whole program: a regular expression that is compiled
// then is paid for by all of them.
func TestNoExpressionIsCompiledAtStart(t *testing.T) {
	lazy := 0
	eachSourceFile(t, func(path string, file *ast.File) {
		for _, decl := range file.Decls {
			if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.VAR {
				ast.Inspect(gen, func(n ast.Node) bool {
					if _, inner := n.(*ast.FuncLit); inner {
						return false
					}
					if call, ok := n.(*ast.CallExpr); ok && callOf(call) == "regexp.MustCompile" {
						t.Errorf("%s compiles an expression at start: use pattern.Lazy", path)
					}
					return true
				})
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || callOf(call) != "pattern.Lazy" {
				return true
			}
			lazy++
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: the expression of pattern.Lazy is no literal, so that no test can compile it", path)
				return true
			}
			expr, err := strconv.Unquote(lit.Value)
			if err == nil {
				_, err = regexp.Compile(expr)
			}
			if err != nil {
				t.Errorf("%s: %s: %v", path, lit.Value, err)
			}
			return true
		})
	})
	if lazy < 30 {
		t.Errorf("only %d expressions found", lazy)
	}
}

// docs/architecture.md lists the rooms of the table of imports, and their floors.
func TestTheArchitecturePageHasEveryRoom(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "\n| Floor | Rooms |\n")
	if !ok {
		t.Fatal("no table of floors")
	}
	for i, floor := range floors {
		row, rows := "", 0
		for line := range strings.SplitSeq(after, "\n") {
			if strings.HasPrefix(line, "| "+strconv.Itoa(i)+" ") {
				row, rows = line, rows+1
			}
		}
		if rows != 1 {
			t.Errorf("floor %d has %d rows in docs/architecture.md", i, rows)
		}
		for _, r := range floor {
			if n := strings.Count(string(text), "\n"+r.name+"/ "); n != 1 {
				t.Errorf("%s is %d times among the rooms of docs/architecture.md", r.name, n)
			}
			if short := strings.TrimPrefix(r.name, "internal/"); !strings.Contains(row, "`"+r.name+"`") && !strings.Contains(row, "`"+short+"`") {
				t.Errorf("%s is not on floor %d in docs/architecture.md", r.name, i)
			}
		}
	}
}

// What docs/architecture.md names in "Where is" is there.
func TestTheArchitecturePageNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, where, ok := strings.Cut(string(text), "\n## Where is")
	if !ok {
		t.Fatal("no table of places")
	}
	named := regexp.MustCompile("`([^` ]+)`")
	places := 0
	for line := range strings.Lines(where) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		folder := "" // of the place before, beside which the next may be
		for _, m := range named.FindAllStringSubmatch(cells[2], -1) {
			name, isFile, isPath := m[1], strings.HasSuffix(m[1], ".go"), strings.Contains(m[1], "/")
			switch {
			case strings.Contains(name, "<"), !isPath && folder == "": // any of several, a name in the code
				continue
			case isFile && !isPath:
				name = folder + "/" + name
			case isFile:
				folder = filepath.ToSlash(filepath.Dir(name))
			case isPath:
				folder = name
			default:
				name = filepath.ToSlash(filepath.Dir(folder)) + "/" + name
			}
			places++
			if found, _ := filepath.Glob("../../" + name); len(found) == 0 {
				t.Errorf("there is no %s, where docs/architecture.md has %s", name, strings.TrimSpace(cells[1]))
			}
		}
	}
	if places < 40 {
		t.Errorf("only %d places found", places)
	}
}

// docs/dependencies.md gives the reason of every module that go.mod asks for.
func TestEveryDependencyHasItsReason(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	// `service/{s3,sts}` stands for several.
	text := regexp.MustCompile(`([a-z0-9/]*)\{([a-z0-9,]+)\}`).ReplaceAllStringFunc(string(page), func(m string) string {
		before, names, _ := strings.Cut(strings.TrimSuffix(m, "}"), "{")
		var all []string
		for name := range strings.SplitSeq(names, ",") {
			all = append(all, before+name)
		}
		return strings.Join(all, "` `")
	})
	modules := 0
	for line := range strings.Lines(string(mod)) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) != 2 || !strings.HasPrefix(fields[1], "v") || !strings.Contains(fields[0], ".") {
			continue // not a direct one
		}
		modules++
		short := fields[0]
		for _, prefix := range []string{"github.com/aws/aws-sdk-go-v2/", "github.com/", "golang.org/"} {
			short = strings.TrimPrefix(short, prefix)
		}
		if !strings.Contains(text, "`"+fields[0]+"`") && !strings.Contains(text, "`"+short+"`") {
			t.Errorf("docs/dependencies.md has no reason for %s", fields[0])
		}
	}
	if modules < 20 {
		t.Errorf("only %d modules", modules)
	}
}
