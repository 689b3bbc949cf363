use super::*;
use crate::expectation::{DEFAULT_DKIM_ZONE, Facts};

/// Reads all of an input and writes each item in one line.
fn items(text: &str) -> Vec<String> {
    let rows = match Rows::open(text.as_bytes()) {
        Ok(rows) => rows,
        Err(error) => return vec![error.to_string()],
    };
    rows.map(|item| match item {
        Item::Row(row) => {
            let zone = row.facts.dkim_zone.filter(|zone| !zone.is_empty());
            let zone = zone.unwrap_or_else(|| DEFAULT_DKIM_ZONE.to_owned());
            format!("{}:{} {} {} {zone}", row.number, row.line, row.facts.domain, row.facts.tokens.join(" "))
        }
        Item::Bad { row, line, error } => format!("{row}:{line} bad: {error}"),
        Item::Ignored(columns) => format!("ignored: {}", columns.join(" ")),
        Item::Broken(error) => format!("broken: {error}"),
    })
    .collect()
}

#[test]
fn csv_rows_are_read_by_the_names_in_the_header() {
    let text = "\u{feff}Token1,note,DOMAIN,token2,token3,dkim_zone\r\na,9,example.com,b,c,\r\n\r\nd,9,example.net,e,f,dkim.example.\r\n";
    assert_eq!(
        items(text),
        ["ignored: note", "1:2 example.com a b c dkim.amazonses.com.", "2:4 example.net d e f dkim.example."]
    );
    assert_eq!(items("domain;token1;token2;token3\nexample.com;a;b;c"), ["1:2 example.com a b c dkim.amazonses.com."]);
}

#[test]
fn json_lines_are_read_and_unused_names_told_once() {
    let text = concat!(
        "\n{\"domain\":\"example.com\",\"token1\":\"a\",\"token2\":\"b\",\"token3\":\"c\",\"note\":{\"id\":1}}\n",
        "{\"domain\":\"example.net\",\"token1\":\"d\",\"token2\":\"e\",\"token3\":\"f\",\"note\":2,\"tenant\":{\"id\":2},\"dkim_zone\":\"dkim.example.\"}\n",
    );
    assert_eq!(
        items(text),
        ["ignored: note", "1:2 example.com a b c dkim.amazonses.com.", "2:3 example.net d e f dkim.example."]
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
    assert!(matches!(&rows[1], Item::Row(row) if row.facts.domain == "example.net"));
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
            "the header has no column token3; expected domain,token1,token2,token3 and optionally dkim_zone,region,mail_from,inbound,selector,public_key,previous_tokens,previous_ns,dns_provider,tenant",
        ),
        ("domain,token1,token2,token3,Domain\n", "the header has the column domain twice"),
    ] {
        assert_eq!(items(text), [error]);
    }
}

/// Reads the facts of the only row, or what is wrong with it.
fn facts(text: &str) -> Result<Facts, String> {
    match Rows::open(text.as_bytes()).unwrap().last() {
        Some(Item::Row(row)) => row.expectation().map(|_| row.facts),
        Some(Item::Bad { error, .. }) => Err(error),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn what_the_caller_tells_is_read_from_either_form() {
    let csv = "domain,token1,token2,token3,region,mail_from,inbound,previous_tokens,previous_ns,dns_provider,tenant\n\
               example.com,a,b,c,eu-west-1,bounce.example.com,Yes,\"d e;f\",ns1.example.net ns2.example.net,godaddy,9\n";
    let json = "{\"domain\":\"example.com\",\"token1\":\"a\",\"token2\":\"b\",\"token3\":\"c\",\"region\":\"eu-west-1\",\
                \"mail_from\":\"bounce.example.com\",\"inbound\":true,\"previous_tokens\":[\"d\",\"e\",\"f\"],\
                \"previous_ns\":\"ns1.example.net;ns2.example.net\",\"dns_provider\":\"godaddy\",\"tenant\":null}";
    let told = facts(csv).unwrap();
    assert_eq!(told.previous_tokens, ["d", "e", "f"]);
    assert_eq!(told.previous_ns, ["ns1.example.net", "ns2.example.net"]);
    assert!(told.is_inbound);
    assert_eq!(Ok(told), facts(json));
}

#[test]
fn a_selector_stands_in_the_place_of_tokens() {
    let told = facts("domain,selector,public_key\nexample.com,s1,MIGfMA0=\n").unwrap();
    assert_eq!((told.selector.as_deref(), told.tokens.len()), (Some("s1"), 0));
    let told = facts("domain,token1,token2,token3,selector\nexample.com,,,,s1\n").unwrap();
    assert_eq!(told.selector.as_deref(), Some("s1"));
    assert!(facts("{\"domain\":\"example.com\",\"selector\":\"s1\"}").is_ok());
}

#[test]
fn what_the_caller_tells_wrong_is_one_bad_row() {
    for (column, value, error) in [
        ("region", "Frankfurt", "region \"frankfurt\": expected an AWS region such as us-east-1"),
        ("inbound", "perhaps", "inbound \"perhaps\": expected yes or no"),
        (
            "dns_provider",
            "acme",
            "dns_provider \"acme\": expected the id of a provider in providers.toml, such as cloudflare",
        ),
    ] {
        let text = format!("domain,token1,token2,token3,{column}\nexample.com,a,b,c,{value}\n");
        assert_eq!(facts(&text), Err(error.to_owned()));
    }
}

#[test]
fn a_domain_alone_is_a_row_where_tokens_come_from_elsewhere() {
    for text in ["domain\nexample.com\nexample.net\n", "{\"domain\":\"example.com\"}\n{\"domain\":\"example.net\"}\n"] {
        let rows = Rows::open_for_domains(text.as_bytes()).unwrap();
        let domains: Vec<String> = rows
            .map(|item| match item {
                Item::Row(row) => row.facts.domain,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(domains, ["example.com", "example.net"]);
        assert!(items(text)[0].contains("token1"), "{:?}", items(text));
    }
}
