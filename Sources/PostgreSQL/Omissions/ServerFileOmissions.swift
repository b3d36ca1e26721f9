import DumpCore

/// Files of the server's host that a database needs and no dump holds.
struct ServerFileOmissions: Sendable {
    func ask(_ session: Session) async throws(DumpError) -> [Finding] {
        try await dictionaries(session) + libraries(session)
    }

    /// Lists of words. Those of stop words that PostgreSQL brings are on every host.
    private func dictionaries(_ session: Session) async throws(DumpError) -> [Finding] {
        try await session.findings(
            """
            select i.identity, d.dictinitoption as options
            from pg_ts_dict d cross join lateral pg_identify_object('pg_ts_dict'::regclass, d.oid, 0) i
            where d.oid >= 16384 and d.dictinitoption ~* '(synonyms|dictfile|afffile|stopwords) *='
                and d.dictinitoption !~* '^ *(language *= *[^,]*, *)?stopwords *= *''\(Self.languages)'' *$'
                and not \(Self.isMember("pg_ts_dict", "d.oid"))
            order by i.identity collate "C"
            """
        ) { row throws(DumpError) in
            let object = qualified(try row.text("identity"), session)
            return Finding(
                .note, .serverFiles, object: object,
                "the files of text search dictionary \(object) are on the server's host only: \(try row.text("options"))",
                hint: "Before a restore, copy them to tsearch_data below 'pg_config --sharedir' of its host.")
        }
    }

    private func libraries(_ session: Session) async throws(DumpError) -> [Finding] {
        try await session.findings(
            """
            select p.probin as library, count(*) as count
            from pg_proc p join pg_language l on l.oid = p.prolang
            where p.oid >= 16384 and l.lanname = 'c' and not \(Self.isMember("pg_proc", "p.oid"))
            group by p.probin order by p.probin collate "C"
            """
        ) { row throws(DumpError) in
            let (library, database) = (try row.text("library"), session.endpoint.database)
            return Finding(
                .note, .serverFiles, object: "\(database).\(library)",
                "library \(library) is on the server's host only: \(counted(try row.integer("count"), "function")) of database "
                    + "'\(database)' need it",
                hint: "Before a restore, install it on its host.")
        }
    }

    private static let languages =
        "(danish|dutch|english|finnish|french|german|hungarian|italian|nepali|norwegian|portuguese|russian|spanish|swedish|turkish)"

    private static func isMember(_ catalog: String, _ oid: String) -> String {
        """
        exists (
            select from pg_depend m where m.classid = '\(catalog)'::regclass and m.objid = \(oid)
                and m.refclassid = 'pg_extension'::regclass and m.deptype = 'e')
        """
    }
}
