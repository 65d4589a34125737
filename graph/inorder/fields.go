package main

import (
	"errors"
	"regexp"
	"strings"
)

var (
	// plain is the function of a field that is a member of its object, or a method
	// that needs nothing: its name, arguments, value and marshaler.
	plain = regexp.MustCompile(`(func \(ec \*executionContext\) _\w+\(ctx context\.Context, field graphql\.CollectedField, obj \S+\)) \(ret graphql\.Marshaler\) \{
	return graphql\.ResolveField\(
		ctx,
		ec\.OperationContext,
		field,
		func\(ctx context\.Context, field graphql\.CollectedField\) \(\*graphql\.FieldContext, error\) \{
			return ec\.(fieldContext_\w+)\(ctx, field\)
		\},
		func\(ctx context\.Context\) \(any, error\) \{
			return (obj\.[\w.]+(?:\(\))?), nil
		\},
		nil,
		func\(ctx context\.Context, selections ast\.SelectionSet, v [^\n]+\) graphql\.Marshaler \{
			return ec\.(marshal\S+)\(ctx, selections, v\)
		\},
		true,
		(?:true|false),
	\)
\}`)
	// resolved is the function of a field that asks for what it needs, once it has read
	// its arguments, if it has any.
	resolved = regexp.MustCompile(`(func \(ec \*executionContext\) _\w+\(ctx context\.Context, field graphql\.CollectedField, obj \S+\) \(ret graphql\.Marshaler\) \{)
	return graphql\.ResolveField\(
		ctx,
		ec\.OperationContext,
		field,
		func\(ctx context\.Context, field graphql\.CollectedField\) \(\*graphql\.FieldContext, error\) \{
			return ec\.(fieldContext_(\w+))\(ctx, field\)
		\},
		func\(ctx context\.Context\) \(any, error\) \{
(			fc := graphql\.GetFieldContext\(ctx\)
)?			return (ec\.Resolvers[^\n]*|obj\.\w+\(ctx\))
		\},
		nil,
		func\(ctx context\.Context, selections ast\.SelectionSet, v [*[][^\n]*\) graphql\.Marshaler \{
			return ec\.(marshal\S+)\(ctx, selections, v\)
		\},
		true,
		(?:true|false),
	\)
\}`)
	owner   = regexp.MustCompile(`func \(ec \*executionContext\) (fieldContext_\w+)\([^\n]*\n(?:\treturn graphql\.NewScalarFieldContext\(|\tfc = &graphql\.FieldContext\{\n\t\tObject: +)"(\w+)"`)
	marshal = regexp.MustCompile(`(?s)func \(ec \*executionContext\) (marshal\S+?)\(ctx context\.Context[^\n]*\{\n(.*?)\n}\n`)
)

// rewriteFields has plain fields written without a resolver around them. What
// cannot fail needs no context, what can fail one that tells its place, and what
// has fields or items of its own the place itself.
func rewriteFields(text string) (string, error) {
	owners, bodies := byName(owner, text), byName(marshal, text)
	found, known := 0, true
	text = plain.ReplaceAllStringFunc(text, func(function string) string {
		found++
		parts := plain.FindStringSubmatch(function)
		head, of, value, name := parts[1], owners[parts[2]], parts[3], parts[4]
		body := bodies[name]
		known = known && of != "" && body != ""
		ctx, before := "ctx", ""
		switch {
		case strings.Contains(body, "(ctx, sel, "), strings.Contains(body, "AddInvalidNullError"), strings.Contains(body, "MarshalSlice"):
			before = "\tctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: \"" + of + "\", Field: field})\n"
		case strings.Contains(body, "WrapContextMarshaler"):
			ctx = "at(ctx, \"" + of + "\", field)"
		}
		return head + " graphql.Marshaler {\n" + before + "\treturn ec." + name + "(" + ctx + ", field.Selections, " + value + ")\n}"
	})
	text, resolves, all := rewriteResolved(text, owners)
	if found == 0 || resolves == 0 || !known || !all {
		return "", errors.New("no plain or resolved fields, or not what belongs to them")
	}
	return text, nil
}

// rewriteResolved has resolvers called where their field is answered, with one place
// made for both and no functions around. What they return is a pointer or a list, which
// the marshaler knows the null of; the roots' fields have no obj and stay.
func rewriteResolved(text string, owners map[string]string) (out string, found int, known bool) {
	known = true
	out = resolved.ReplaceAllStringFunc(text, func(function string) string {
		found++
		parts := resolved.FindStringSubmatch(function)
		head, of, name, args, call, marshal := parts[1], owners[parts[2]], parts[3], parts[4], parts[5], parts[6]
		known = known && of != ""
		place := "within"
		if strings.HasPrefix(call, "ec.Resolvers.") {
			place = "ec.watched"
		}
		body := "\n\tctx = " + place + "(ctx, \"" + of + "\", field)\n\tdefer ec.recovered(ctx, &ret)\n"
		if args != "" {
			body += "\targs, err := ec.collected.args(ctx, ec, field, (*executionContext).field_" + name + "_args)\n" +
				"\tif err != nil {\n\t\tec.Error(ctx, err)\n\t\treturn graphql.Null\n\t}\n"
			call = strings.ReplaceAll(call, "fc.Args[", "args[")
		}
		return head + body + "\tv, err := " + call + "\n\tif err != nil {\n\t\treturn ec.failed(ctx, err)\n\t}\n" +
			"\treturn ec." + marshal + "(ctx, field.Selections, v)\n}"
	})
	return out, found, known
}

func byName(re *regexp.Regexp, text string) map[string]string {
	found := map[string]string{}
	for _, parts := range re.FindAllStringSubmatch(text, -1) {
		found[parts[1]] = parts[2]
	}
	return found
}
