use super::*;

/// Reads all of an input and writes each item in one line.
fn items(text: &str) -> Vec<String> {
    let rows = match Rows::open(text.as_bytes()) {
        Ok(rows) => rows,
        Err(error) => return vec![error.to_string()],
    };
    rows.map(|item| match item {
        Item::Row(row) => {
            format!("{}:{} {} {} {}", row.number, row.line, row.domain, row.tokens.join(" "), row.dkim_zone)
        }
        Item::Bad { row, line, error } => format!("{row}:{line} bad: {error}"),
        Item::Ignored(columns) => format!("ignored: {}", columns.join(" ")),
        Item::Broken(error) => format!("broken: {error}"),
    })
    .collect()
}

#[test]
fn csv_rows_are_read_by_the_names_in_the_header() {
    let text = "\u{feff}Token1,tenant,DOMAIN,token2,token3,dkim_zone\r\na,9,example.com,b,c,\r\n\r\nd,9,example.net,e,f,dkim.example.\r\n";
    assert_eq!(
        items(text),
        ["ignored: tenant", "1:2 example.com a b c dkim.amazonses.com.", "2:4 example.net d e f dkim.example."]
    );
    assert_eq!(items("domain;token1;token2;token3\nexample.com;a;b;c"), ["1:2 example.com a b c dkim.amazonses.com."]);
}

#[test]
fn json_lines_are_read_and_unused_names_told_once() {
    let text = concat!(
        "\n{\"domain\":\"example.com\",\"token1\":\"a\",\"token2\":\"b\",\"token3\":\"c\",\"tenant\":{\"id\":1}}\n",
        "{\"domain\":\"example.net\",\"token1\":\"d\",\"token2\":\"e\",\"token3\":\"f\",\"tenant\":2,\"dkim_zone\":\"dkim.example.\"}\n",
    );
    assert_eq!(
        items(text),
        ["ignored: tenant", "1:2 example.com a b c dkim.amazonses.com.", "2:3 example.net d e f dkim.example."]
    );
}

#[test]
fn a_bad_row_costs_no_other() {
    let long = "x".repeat(MAX_RECORD_OCTETS + 10);
    for (bad, error) in [
        ("example.com,a,b", "3 cells; the header has 4"),
        ("example.com,a,b,c,d", "5 cells; the header has 4"),
        ("\"example.com,a,b,c", "a quote is not closed"),
        ("\"example.com\"x,a,b,c", "text follows a closing quote"),
        (long.as_str(), "the line is longer than 64 KiB"),
    ] {
        let text = format!("domain,token1,token2,token3\n{bad}\nexample.net,d,e,f\n");
        let expected = [format!("1:2 bad: {error}"), "2:3 example.net d e f dkim.amazonses.com.".to_owned()];
        assert_eq!(items(&text), expected, "{error}");
    }
}

#[test]
fn an_open_quote_before_a_quoted_row_costs_no_other() {
    let text = "domain,token1,token2,token3\n\"example.com,a,b,c\n\"example.net\",\"d\",e,f\nexample.org,g,h,i\n";
    assert_eq!(
        items(text),
        [
            "1:2 bad: text follows a closing quote",
            "2:3 example.net d e f dkim.amazonses.com.",
            "3:4 example.org g h i dkim.amazonses.com."
        ]
    );
}

#[test]
fn a_quoted_cell_may_go_on_over_line_ends() {
    let text = "domain,token1,token2,token3,note\nexample.com,a,b,c,\"two\nlines\"\nexample.net,d,e,f,\n";
    assert_eq!(
        items(text),
        ["ignored: note", "1:2 example.com a b c dkim.amazonses.com.", "2:4 example.net d e f dkim.amazonses.com."]
    );
}

#[test]
fn octets_that_are_no_text_are_one_bad_row() {
    let text = b"domain,token1,token2,token3\nex\xffmple.com,a,b,c\nexample.net,d,e,f\n";
    let rows: Vec<Item> = Rows::open(&text[..]).unwrap().collect();
    assert!(matches!(&rows[0], Item::Bad { row: 1, line: 2, error } if error == "the line is not UTF-8"));
    assert!(matches!(&rows[1], Item::Row(row) if row.domain == "example.net"));
}

#[test]
fn bad_json_is_one_bad_row() {
    let text = "{\"domain\":\"example.com\",\"token1\":\"a\",\"token2\":\"b\"}\n{oops\n{\"domain\":7,\"token1\":\"a\",\"token2\":\"b\",\"token3\":\"c\"}\n";
    assert_eq!(
        items(text),
        [
            "1:1 bad: no row in JSON: missing field `token3`",
            "2:2 bad: no row in JSON: key must be a string",
            "3:3 bad: no row in JSON: invalid type: integer `7`, expected a string",
        ]
    );
}

#[test]
fn an_input_that_cannot_be_used_is_refused_in_one_line() {
    for (text, error) in [
        ("", "there is nothing in it; expected CSV with the header domain,token1,token2,token3, or JSON lines"),
        ("\n \n", "there is nothing in it; expected CSV with the header domain,token1,token2,token3, or JSON lines"),
        ("example.com,a,b,c\n", "the first line is no CSV header; expected domain,token1,token2,token3, or JSON lines"),
        (
            "domain,token1,token2\n",
            "the header has no column token3; expected domain,token1,token2,token3 and optionally dkim_zone",
        ),
        ("domain,token1,token2,token3,Domain\n", "the header has the column domain twice"),
    ] {
        assert_eq!(items(text), [error]);
    }
}
