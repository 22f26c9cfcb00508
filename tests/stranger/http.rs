//! HTTP/1.1 by hand, so that header names keep the case a server chose and bodies come whole, in chunks or compressed.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

/// What the program asked.
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Null when there is none.
    pub body: Value,
}

impl Request {
    /// The next request of a connection; `None` when it is closed.
    pub fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        Some(Self {
            method,
            path: decoded(path),
            query: query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (decoded(name), decoded(value)))
                .collect(),
            headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }

    /// A comma list of the query.
    pub fn list(&self, name: &str) -> Vec<String> {
        let list = self.query.get(name).into_iter().flat_map(|list| list.split(','));
        list.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next().unwrap(), bytes.next().unwrap()];
            plain.push(u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap());
        } else {
            plain.push(byte);
        }
    }
    String::from_utf8(plain).unwrap()
}

/// How a body goes over the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Body {
    Whole,
    Chunked,
    /// Compressed, in chunks.
    Gzip,
}

/// Writes an answer.
pub fn write(stream: &mut TcpStream, status: u16, headers: &[(String, String)], text: &str, how: Body) -> Option<()> {
    let mut head = format!("HTTP/1.1 {status} Whatever\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let bytes = match how {
        _ if status == 204 => Vec::new(),
        Body::Whole => {
            head.push_str(&format!("CONTENT-LENGTH: {}\r\n", text.len()));
            text.as_bytes().to_vec()
        }
        Body::Chunked => {
            head.push_str("transfer-encoding: chunked\r\n");
            chunked(text.as_bytes())
        }
        Body::Gzip => {
            head.push_str("Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n");
            chunked(&gzip(text.as_bytes()))
        }
    };
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&bytes).ok()
}

/// Chunks that end where nobody would cut: in the middle of words and of characters.
fn chunked(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in bytes.chunks(997) {
        out.extend(format!("{:X};note=odd\r\n", chunk.len()).bytes());
        out.extend(chunk);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\n\r\n");
    out
}

/// Gzip whose blocks are stored as they are: as legal as any other.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(60_000).peekable();
    if blocks.peek().is_none() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap();
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    out.extend((!crc).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out
}
