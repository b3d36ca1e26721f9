/// How the questions about tables see the catalog.
enum Relations {
    /// A `from` clause. `c` is a relation that is neither temporary nor delivered with PostgreSQL, and `n` its schema. `e` is the extension
    /// that owns it, if one does. Objects of users have OIDs from 16384 on (`FirstNormalObjectId` in `transam.h`).
    static let ofUsers = """
        from (
            select oid, relname, relnamespace, relkind,
                   relpersistence = 'u' and pg_is_in_recovery() as is_absent
            from pg_class where oid >= 16384 and relpersistence <> 't'
        ) c
        join pg_namespace n on n.oid = c.relnamespace
        left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = 0
            and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
        left join pg_extension e on e.oid = d.refobjid
        """

    /// Whether pg_dump takes a schema for the system's, and leaves out what is in it (`selectDumpableNamespace` in `pg_dump.c`).
    static let isInSystemSchema = "(n.nspname ~ '^pg_' or n.nspname = 'information_schema')"

    /// Whether it belongs to an extension that did not mark it with `pg_extension_config_dump()`.
    static let isUnmarkedMember = "(e.oid is not null and c.oid <> all (coalesce(e.extconfig, '{}')))"
}
