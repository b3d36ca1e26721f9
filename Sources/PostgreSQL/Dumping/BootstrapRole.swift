import DumpCore

/// The role that initdb made, which every server has from its start: `postgres`, unless initdb got another name.
///
/// pg_dumpall writes statements that create it (and drop it, with `--clean`), and each of them fails on every server. A script that
/// holds them cannot be restored with `ON_ERROR_STOP`, so an operator would have to tell a harmless error from a real one.
struct BootstrapRole: Sendable, Hashable {
    /// As SQL and pg_dumpall spell it: quoted where it must be.
    var identifier: String
    /// Its name as a string literal.
    var literal: String
    /// The statement that creates it, as a string literal.
    var creation: String
    /// `identifier` in the encoding of a script, which is that of the database that pg_dumpall is connected to.
    var spelled: [UInt8]

    /// - Parameter session: to the database that pg_dumpall connects to.
    static func ask(_ session: Session) async throws(DumpError) -> BootstrapRole {
        // 10 is BOOTSTRAP_SUPERUSERID in PostgreSQL's pg_authid.dat.
        let row = try await session.row(
            """
            select quote_ident(rolname) as identifier, quote_literal(rolname) as literal,
                   quote_literal('CREATE ROLE ' || quote_ident(rolname)) as creation,
                   (select string_agg(get_byte(bytes, place)::text, ' ' order by place)
                    from convert_to(quote_ident(rolname), getdatabaseencoding()) bytes,
                         generate_series(0, length(bytes) - 1) place) as spelled
            from pg_catalog.pg_roles where oid = 10
            """)
        return BootstrapRole(
            identifier: try row.text("identifier"), literal: try row.text("literal"),
            creation: try row.text("creation"),
            spelled: try row.text("spelled").split(atASCII: " ").compactMap { UInt8($0) })
    }

    /// What comes before pg_dumpall's own lines. Only psql understands it, as it alone understands the script.
    ///
    /// The script connects to each database, and one with `default_transaction_read_only` would refuse what is restored into it.
    var prologue: String {
        """
        -- Muster wrote these lines. Databases that are read only are filled, too; the bootstrap role is created only where it has another name.
        \\setenv PGOPTIONS '-c default_transaction_read_only=off'
        SELECT \(creation) WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = \(literal)) \\gexec


        """
    }
}
