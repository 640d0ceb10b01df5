package world

// referenceRoot is where names of things of other services begin.
const referenceRoot = "/aws/reference/"

// SecretReference is where names of secrets of Secrets Manager begin.
const SecretReference = referenceRoot + "secretsmanager/"

// reference finds what a name below referenceRoot stands for, a selector
// included.
func (w *World) reference(_, _ string) (Selection, error) {
	return Selection{}, Errorf("ParameterNotFound", "")
}
