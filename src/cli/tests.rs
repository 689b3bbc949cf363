use clap::CommandFactory;

use super::*;

#[test]
fn the_arguments_hold_together() {
    Arguments::command().debug_assert();
}

#[test]
fn help_of_every_command_is_as_it_was_agreed() {
    let mut command = Arguments::command().term_width(100);
    insta::assert_snapshot!("help", command.render_long_help());
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names {
        let name = name.as_str();
        let error = Arguments::command().term_width(100).try_get_matches_from(["zoneproof", name, "--help"]);
        insta::assert_snapshot!(format!("help_{name}"), error.unwrap_err());
    }
}

#[test]
fn what_was_typed_wrong_is_told_in_one_line() {
    for (typed, told) in [
        ("frobnicate", "unrecognized subcommand 'frobnicate'"),
        ("check", "the following required arguments were not provided: <DOMAIN>"),
        ("check example.com --sesame", "unexpected argument '--sesame' found; a similar argument exists: '--ses'"),
        ("check example.com --tokn a", "unexpected argument '--tokn' found; a similar argument exists: '--token'"),
        ("check example.com --dns-port x", "invalid value 'x' for '--dns-port <N>': invalid digit found in string"),
        ("bulk in.csv --resume", "the following required arguments were not provided: --output <FILE>"),
        ("lookup example.com", "the following required arguments were not provided: <TYPE>"),
    ] {
        let words = std::iter::once("zoneproof").chain(typed.split(' '));
        let error = Arguments::try_parse_from(words).unwrap_err();
        assert_eq!(one_line(&error.to_string()), told);
    }
}
