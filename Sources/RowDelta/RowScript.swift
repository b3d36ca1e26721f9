/// What puts tables together without us: a script for any POSIX shell and awk, and the lists that it reads.
public enum RowScript {
    public static let file = "rows.sh"
    /// The directory beside it that all else is in.
    public static let directory = "rows"
    /// A file and the directory of its rows in each line.
    public static let tables = "tables"
    /// The digests of the files as they are put together, for `sha256sum -c`.
    public static let digests = "sha256"

    /// - Parameter next: what to do afterwards, for the heading.
    public static func text(next: String) -> String {
        #"""
        #!/bin/sh
        # Puts together the tables that Muster has stored as rows and changes, in the directory that this script is in.
        # \#(next)
        #
        # The lines of all .rows files of a table, in the order of their names, are numbered from 1. The .gone files
        # list ranges of lines that are no longer in the table.
        set -eu
        LC_ALL=C
        export LC_ALL
        cd "$(dirname "$0")"
        while read -r file table; do
            cat "rows/$table/"*.gone 2>/dev/null | sort -n > rows/gone || :
            cat "rows/$table/"*.rows | awk '
                function more() {
                    first = last = 0
                    if ((getline range < "rows/gone") > 0) { split(range, ends, " "); first = ends[1] + 0; last = ends[2] + 0 }
                }
                BEGIN { more() }
                { while (last && NR > last) more() }
                !last || NR < first { print }' > "$file"
        done < rows/tables
        rm -f rows/gone
        sha256sum -c rows/sha256

        """#
    }
}
