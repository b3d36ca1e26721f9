import DumpCore
import Jobs
import Settings

extension Job.Drill {
    static var shape: ObjectShape<Job.Drill> {
        ObjectShape(default: Job.Drill())
            .key(
                "assert", \.assertions, .list(of: Job.Assertion.shape.shape),
                "Statements whose answers are known, asked of the restored databases."
            )
            .key(
                "fresh", \.freshness, .oneOrMore(Job.Freshness.shape.shape),
                "Statements that tell when something happened last. It must not be long before the dump."
            )
            .key(
                "amcheck", \.isThorough, .boolean,
                "Whether pg_amcheck compares indexes with their tables, which reads all of both."
            )
            .optional(
                "sample", \.drills, .integer(2...366).example(7),
                "In how many drills to prove every database and directory, each a part of them. Not set: every drill proves all."
            )
            .optional(
                "alert_after", \.alertAfter, .duration(atLeast: .seconds(1)).example("8d"),
                "How old the last proof by a drill may become before muster status says FAILED. Not set: three times the usual interval."
            )
            .optional(
                "run_as", \.user, .name.example("muster-drill"),
                "The user that the throw-away server runs as. Never one with data of its own. Not set: a user without an account."
            )
            .optional(
                "size_limit", \.byteLimit, .bytes.example("50GiB"),
                "How much disk space the restored copy may take. Not set: what the file system has.")
    }
}

extension Job.Assertion {
    static var shape: ObjectShape<Job.Assertion> {
        ObjectShape(default: Job.Assertion())
            .required("database", \.database, .name.example("shop"), "A database of the dump.")
            .required(
                "sql", \.statement, .name.example("select count(*) > 0 from orders"),
                "A statement that returns one value."
            )
            .required("expect", \.expected, .line.example("t"), "That value, as psql shows it.")
            .optional("dump", \.dump, .name.example("app"), "The dump, where several have such a database.")
    }
}

extension Job.Freshness {
    static var shape: ObjectShape<Job.Freshness> {
        ObjectShape(default: Job.Freshness())
            .required("database", \.database, .name.example("shop"), "A database of the dump.")
            .required(
                "sql", \.statement, .name.example("select max(created_at) from orders"),
                "A statement that returns one timestamp."
            )
            .required(
                "max_age", \.limit, .duration(atLeast: .seconds(1)).example("26h"),
                "How long before the dump that may be."
            )
            .optional("dump", \.dump, .name.example("app"), "The dump, where several have such a database.")
    }
}

extension Shape {
    /// A list, or what would be its only element.
    fileprivate static func oneOrMore<Element>(_ element: Shape<Element>) -> Shape where Value == [Element] {
        let list = Shape.list(of: element)
        return Shape(schema: ["anyOf": [list.schema, element.schema]]) { node, diagnostics in
            if case .mapping = node.content { return element.read(node, &diagnostics).map { [$0] } }
            return list.read(node, &diagnostics)
        } writer: {
            list.write($0)
        }
    }
}
