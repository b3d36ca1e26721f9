import DumpCore

extension Job {
    /// What stands under `drill:`.
    public struct Drill: Sendable, Equatable {
        /// What must hold in the restored databases.
        public var assertions: [Assertion] = []
        /// What must not be old in them.
        public var freshness: [Freshness] = []
        /// Whether pg_amcheck looks at tables and indexes.
        public var isThorough = false
        /// In how many drills all is proven, each a part; nil: in each.
        public var drills: Int?
        /// How old the last proof may become before the job counts as failed. Nil: three times the usual interval.
        public var alertAfter: Duration?
        /// The user that a server runs as; nil is one of no account of its own.
        public var user: String?
        /// What the copy may take on disk; nil is all free space.
        public var byteLimit: Int64?

        public init() {}
    }

    public struct Assertion: Sendable, Equatable {
        public var database = ""
        public var statement = ""
        public var expected = ""
        /// Which dump is meant, where two have such a database.
        public var dump: String?

        public init() {}
    }

    public struct Freshness: Sendable, Equatable {
        public var database = ""
        public var statement = ""
        public var limit = Duration.seconds(0)
        public var dump: String?

        public init() {}
    }
}

extension Job.Drill {
    /// What one dump is asked.
    ///
    /// - Parameter items: of it, such as databases, to be proven this time; none is all.
    public func request(for dump: Manifest.DumpRecord, items: [String], jobs: Int) -> DrillRequest {
        var request = DrillRequest()
        let known = Set(dump.databases.map(\.name))
        let isMeant = { (database: String, name: String?) in
            known.contains(database) && (name ?? dump.name) == dump.name && (items.isEmpty || items.contains(database))
        }
        request.assertions = assertions.filter { isMeant($0.database, $0.dump) }.map {
            DrillRequest.Assertion(item: $0.database, statement: $0.statement, expected: $0.expected)
        }
        request.freshness = freshness.filter { isMeant($0.database, $0.dump) }.map {
            DrillRequest.Freshness(item: $0.database, statement: $0.statement, limit: $0.limit)
        }
        (request.items, request.jobs, request.isThorough) = (items, jobs, isThorough)
        (request.user, request.byteLimit) = (user, byteLimit)
        return request
    }

    /// Databases that questions are about, and that no dump of the manifest has.
    public func strangers(in manifest: Manifest) -> [String] {
        let known = Set(manifest.dumps.flatMap { $0.databases.map(\.name) })
        return (assertions.map(\.database) + freshness.map(\.database)).filter { !known.contains($0) }
    }
}
