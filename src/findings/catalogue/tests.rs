use super::*;

#[test]
fn every_code_has_one_word_and_finds_itself() {
    for code in Code::ALL {
        assert_eq!(Code::from_word(code.as_str()), Some(*code));
    }
    assert_eq!(Code::from_word("ok"), None);
}

#[test]
fn every_text_is_a_sentence() {
    for code in Code::ALL {
        for text in [code.meaning(), code.remedy()] {
            assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{}: {text}", code.as_str());
        }
    }
}
