//! Speaks the line protocol on standard input and output. The harness writes compact
//! JSON without escapes, every key once a message, so that a field is found by its name.
use std::fmt::Write as _;
use std::io::{self, BufRead, Write};

mod margin_softmax;
use margin_softmax::{Row, QUANTITIES, TABLE};

/// What follows `"name":` in the line, past an opening quote.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let key = format!("\"{name}\":");
    let rest = &line[line.find(&key)? + key.len()..];
    Some(rest.strip_prefix('"').unwrap_or(rest))
}

fn word<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    field(line, name)?.split('"').next()
}

fn number(line: &str, name: &str) -> Option<usize> {
    let rest = field(line, name)?;
    rest[..rest.find(|c: char| !c.is_ascii_digit())?].parse().ok()
}

fn decoded(text: &str, digits: usize) -> Option<Vec<f64>> {
    let value = |i: usize| {
        let bits = u64::from_str_radix(text.get(i * digits..(i + 1) * digits)?, 16).ok()?;
        let single = f32::from_bits(bits as u32) as f64;
        Some(if digits == 16 { f64::from_bits(bits) } else { single })
    };
    (0..text.len() / digits).map(value).collect()
}

fn hello() -> String {
    let mut losses: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in TABLE {
        if losses.last().map(|last| last.0) != Some(row.loss) {
            losses.push((row.loss, Vec::new()));
        }
        let profiles = &mut losses.last_mut().unwrap().1;
        if profiles.last() != Some(&row.profile) {
            profiles.push(row.profile);
        }
    }
    let told: Vec<String> = losses.iter().map(|(loss, profiles)| format!("\"{loss}\":{profiles:?}")).collect();
    format!(
        "{{\"type\":\"hello\",\"protocol\":1,\"name\":\"margin-softmax-rust\",\"language\":\"Rust\",\"version\":\"@version@\",\"losses\":{{{}}},\"dtypes\":[\"float64\",\"float32\"],\"quantities\":{QUANTITIES:?}}}",
        told.join(",")
    )
}

fn values_of(line: &str, row: &Row, digits: usize, count: usize) -> Option<String> {
    let mut columns = Vec::new();
    for (place, name) in row.names.iter().enumerate() {
        let width = if place < row.cosines { digits } else { 16 };
        columns.push(decoded(word(line, name)?, width)?);
    }
    let mut text = String::with_capacity(count * digits);
    let mut given = vec![0.0; columns.len()];
    for i in 0..count {
        for (value, column) in given.iter_mut().zip(&columns) {
            *value = *column.get(if column.len() == 1 { 0 } else { i })?;
        }
        let value = (row.evaluate)(&given);
        if digits == 16 {
            write!(text, "{:016x}", value.to_bits()).ok()?;
        } else {
            write!(text, "{:08x}", (value as f32).to_bits()).ok()?;
        }
    }
    Some(text)
}

fn evaluate(line: &str, id: usize) -> Option<String> {
    let (loss, profile) = (word(line, "loss")?, word(line, "profile")?);
    let digits = if word(line, "dtype")? == "float32" { 8 } else { 16 };
    let count = number(line, "count")?;
    let asked = field(line, "quantities")?.strip_prefix('[')?.split(']').next()?;
    let mut told = Vec::new();
    for quantity in asked.split(',').map(|name| name.trim_matches('"')) {
        let row = TABLE
            .iter()
            .find(|row| row.loss == loss && row.profile == profile && row.quantity == quantity)?;
        told.push(format!("\"{quantity}\":\"{}\"", values_of(line, row, digits, count)?));
    }
    Some(format!("{{\"type\":\"values\",\"id\":{id},\"values\":{{{}}}}}", told.join(",")))
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = match word(&line, "type") {
            Some("hello") => hello(),
            Some("evaluate") => {
                let id = number(&line, "id").unwrap_or(0);
                let refusal = format!("{{\"type\":\"error\",\"id\":{id},\"message\":\"not supported\"}}");
                evaluate(&line, id).unwrap_or(refusal)
            }
            _ => "{\"type\":\"bye\"}".to_string(),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
        if answer == "{\"type\":\"bye\"}" {
            break;
        }
    }
    Ok(())
}
