use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::run;

/// A package under construction: the files of `packaging/dist/PART` and `packaging/deb/PART`, and the built programs.
pub struct Deb {
    tree: TempDir,
    name: String,
    version: String,
    architecture: String,
    /// Time of the last commit, Unix seconds. It is the time of every file: two builds of one commit give the same
    /// package.
    epoch: String,
}

impl Deb {
    /// Starts a package with the files that need no build.
    pub fn begin(part: &str, version: &str, architecture: &str) -> Result<Self> {
        let tree = tempfile::tempdir()?;
        let packaging = run::root().join("packaging");
        let copy = |from: &str, to: &Path| {
            let from = packaging.join(from).join(part);
            run::run(run::program("cp").arg("-rT").arg(from).arg(to))
        };
        copy("dist", tree.path())?;
        copy("deb", &tree.path().join("DEBIAN"))?;
        let control = fs::read_to_string(tree.path().join("DEBIAN/control"))?;
        let name = control.lines().find_map(|line| line.strip_prefix("Package: "));
        let commit = |format: &str| {
            let format = format!("--format={format}");
            run::output(run::program("git").args(["log", "-1", &format])).map(|line| line.trim().to_owned())
        };
        let deb = Self {
            name: name.context("no Package in control")?.to_owned(),
            tree,
            version: version.to_owned(),
            architecture: architecture.to_owned(),
            epoch: commit("%ct")?,
        };
        let copyright = fs::read(packaging.join("deb/copyright"))?;
        deb.write(&deb.doc("copyright"), &copyright)?;
        let maintainer = control.lines().find_map(|line| line.strip_prefix("Maintainer: "));
        let changelog = format!(
            "{} ({version}) unstable; urgency=medium\n\n  * Built from {}.\n\n -- {}  {}\n",
            deb.name,
            commit("%h")?,
            maintainer.context("no Maintainer in control")?,
            commit("%aD")?
        );
        deb.write(&deb.doc("changelog"), changelog.as_bytes())?;
        deb.squeeze(&deb.doc("changelog"))?;
        deb.squeeze("usr/share/man")?;
        Ok(deb)
    }

    fn doc(&self, file: &str) -> String {
        format!("usr/share/doc/{}/{file}", self.name)
    }

    /// Adds a file with these bytes at `place`, an absolute path on the target.
    pub fn write(&self, place: &str, bytes: &[u8]) -> Result<()> {
        let path = self.tree.path().join(place);
        fs::create_dir_all(path.parent().unwrap_or(self.tree.path()))?;
        fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))
    }

    /// Adds a built program at `place`.
    pub fn program(&self, built: &Path, place: &str) -> Result<()> {
        let bytes = fs::read(built).with_context(|| format!("could not read {}", built.display()))?;
        self.write(place, &bytes)?;
        Ok(fs::set_permissions(
            self.tree.path().join(place),
            fs::Permissions::from_mode(0o755),
        )?)
    }

    /// Adds the manual pages that `heeler manual` writes.
    pub fn manual(&self, heeler: &Path) -> Result<()> {
        let pages = self.tree.path().join("usr/share/man/man1");
        run::run(run::program(&heeler.display().to_string()).arg("manual").arg(pages))?;
        self.squeeze("usr/share/man")
    }

    /// Compresses a file, or every file below a folder, without name and time: two builds give the same bytes.
    fn squeeze(&self, place: &str) -> Result<()> {
        let path = self.tree.path().join(place);
        let found = run::files(&path)?.into_iter();
        let plain: Vec<_> = found
            .filter(|file| file.extension().is_none_or(|end| end != "gz"))
            .collect();
        match plain.is_empty() {
            true => Ok(()),
            false => run::run(run::program("gzip").arg("-9n").args(plain)),
        }
    }

    /// Writes the package into `out` and returns its path.
    pub fn build(self, out: &Path) -> Result<PathBuf> {
        let root = self.tree.path();
        let control = root.join("DEBIAN");
        let (mut sums, mut bytes) = (String::new(), 0);
        for file in run::files(root)?.iter().filter(|file| !file.starts_with(&control)) {
            bytes += fs::metadata(file)?.len();
            let sum = run::output(run::program("md5sum").arg(file))?;
            let sum = sum.split_whitespace().next().unwrap_or_default();
            sums += &format!("{sum}  {}\n", file.strip_prefix(root)?.display());
        }
        fs::write(control.join("md5sums"), sums)?;
        let fields = fs::read_to_string(control.join("control"))?;
        let (version, architecture) = (&self.version, &self.architecture);
        let (first, rest) = fields.split_once('\n').context("control is empty")?;
        let fields = format!(
            "{first}\nVersion: {version}\nArchitecture: {architecture}\nInstalled-Size: {}\n{rest}",
            bytes.div_ceil(1024)
        );
        fs::write(control.join("control"), fields)?;
        settle_modes(root)?;
        let package = out.join(format!("{}_{version}_{architecture}.deb", self.name));
        let mut dpkg = run::program("dpkg-deb");
        dpkg.env("SOURCE_DATE_EPOCH", &self.epoch);
        run::output(dpkg.args(["--root-owner-group", "--build"]).arg(root).arg(&package))?;
        Ok(package)
    }
}

/// Sets folders and programs to 0755 and other files to 0644, because this machine's umask must not matter.
fn settle_modes(root: &Path) -> Result<()> {
    run::run(run::program("chmod").args(["-R", "a+rX,u+w,go-w,a-s"]).arg(root))?;
    let control = root.join("DEBIAN");
    for file in run::files(&control)? {
        let runs = fs::read(&file)?.starts_with(b"#!");
        fs::set_permissions(&file, fs::Permissions::from_mode(if runs { 0o755 } else { 0o644 }))?;
    }
    Ok(())
}
