// Package powershell is a small look-alike of Windows PowerShell for simulated
// Windows nodes: enough of the language and of its cmdlets to look around on a
// node, manage its services and run short scripts.
//
// It is honest about its limits: a construct or parameter it does not know
// gives an error that says so. Like the rest of the simulator it touches
// nothing of the machine it runs on; everything comes from the Host.
package powershell

// node is an element of the syntax tree.
type node interface{}

type (
	// literal is a number, a string without expansions, or a boolean.
	literal struct{ value any }
	// interpolated is a double-quoted string.
	interpolated struct{ parts []node }
	// variable is $name, $env:name or $script:name.
	variable struct{ scope, name string }
	// member is x.name, index is x[i], method is x.name(args).
	member struct {
		x    node
		name string
	}
	index  struct{ x, i node }
	method struct {
		x    node
		name string
		args []node
	}
	// static is [Type]::Member, with args when it is called.
	static struct {
		typ, name string
		args      []node
		call      bool
	}
	// cast is [type]x.
	cast struct {
		typ string
		x   node
	}
	unary struct {
		op string
		x  node
	}
	binary struct {
		op   string
		x, y node
	}
	// list is a, b, c; array is @( ... ); sub is $( ... ) or ( ... ).
	list  struct{ items []node }
	array struct{ body []node }
	sub   struct{ body []node }
	// table is @{ k = v }.
	table struct{ keys, values []node }
	// block is { ... }.
	block struct {
		params []string
		body   []node
	}

	// command is a cmdlet, alias or program with its arguments.
	command struct {
		name node
		text string // as written, for messages
		pos  int
		args []argument
		// redirections
		out      node // file of > or >>
		appends  bool
		errNull  bool // 2>$null
		errToOut bool // 2>&1
	}
	// argument is a value, or a parameter when name is set.
	argument struct {
		name  string
		value node // nil for a switch
	}
	pipeline struct{ stages []node }
	assign   struct {
		target node
		op     string
		value  node
	}
	increment struct {
		target node
		by     int64
	}

	ifStmt struct {
		conds  []node
		bodies [][]node
		other  []node
	}
	foreachStmt struct {
		name string
		in   node
		body []node
	}
	forStmt struct {
		init, cond, step node
		body             []node
	}
	whileStmt struct {
		cond  node
		body  []node
		until bool // do ... until
		first bool // the body runs first
	}
	tryStmt struct {
		body, catch, finally []node
		catches              bool
	}
	flowStmt struct { // break, continue, return, exit, throw
		kind  string
		value node
	}
	function struct {
		name   string
		params []string
		body   []node
	}
)
