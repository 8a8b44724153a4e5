//! From an image that anybody may have sent to a small PNG.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use crate::{Problem, Result};

/// The largest image that is decoded: its pixels fit into the component's memory, and the work into its time.
const SIDE_MAX: u32 = 4096;

/// What decoding may allocate.
const ALLOC_MAX: u64 = 128 << 20;

/// Returns the image with this width, or with its own if that is less.
pub fn thumbnail(bytes: &[u8], width: u32) -> Result<Vec<u8>> {
    let image = decode(bytes)?;
    let width = width.min(image.width());
    let height = (u64::from(image.height()) * u64::from(width) / u64::from(image.width())).max(1) as u32;
    let small = image.thumbnail_exact(width, height);
    let mut png = Cursor::new(Vec::new());
    small.write_to(&mut png, ImageFormat::Png).map_err(|error| Problem(422, format!("no thumbnail: {error}")))?;
    Ok(png.into_inner())
}

fn decode(bytes: &[u8]) -> Result<DynamicImage> {
    let unusable = |error: &dyn std::fmt::Display| Problem(422, format!("this is no image that can be read: {error}"));
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| unusable(&error))?;
    // The sizes are read, and refused, before anything is decoded.
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(ALLOC_MAX);
    reader.limits(limits);
    reader.decode().map_err(|error| unusable(&error))
}
